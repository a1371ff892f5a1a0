// An object by its hash: fetched from an offset, again from where it broke, and believed only when its last byte has been hashed.

import { createHash } from 'node:crypto';
import { equalBytes, hex } from '../base/index.js';
import type { BlobRef } from '../wire/index.js';
import { decodeData } from './bulk-codec.js';
import type { Channel } from './channel.js';
import { TransportError } from './errors.js';
import { encodeMessage, SILO_METHODS } from './methods.js';
import type { RetryOptions } from './retry.js';
import { Tries } from './retry.js';

export interface DownloadOptions {
  readonly channel: Channel;
  readonly retry: RetryOptions;
  readonly stallMs: number;
}

export async function* download(
  { channel, retry, stallMs }: DownloadOptions,
  { sha256, size }: BlobRef,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { path, definition } = SILO_METHODS.getBlob;
  const hash = createHash('sha256');
  const tries = new Tries(retry);
  let received = 0n;
  // An empty object is asked for as well: somebody must say that it exists.
  for (let whole = false; !whole; ) {
    const request = encodeMessage(definition.requestType, { sha256, offset: received });
    const messages = channel.stream(path, request, signal, stallMs);
    try {
      whole = yield* once(messages);
    } finally {
      await messages.return();
    }
  }
  if (received !== size) throw wrongSize(sha256, size, received);
  const actual = hash.digest();
  if (!equalBytes(actual, sha256))
    throw new TransportError('transport/blob-hash', `fetched ${hex(sha256)} and got the bytes of ${hex(actual)}.`);

  /** One stream to its end (true) or to its break (false). */
  async function* once(
    messages: AsyncGenerator<Buffer, void, undefined>,
  ): AsyncGenerator<Uint8Array, boolean, undefined> {
    while (true) {
      let data: Uint8Array;
      try {
        const next = await messages.next();
        if (next.done === true) return true;
        data = decodeData(next.value);
      } catch (error) {
        await tries.again(error, signal);
        return false;
      }
      received += BigInt(data.length);
      // Before it is hashed or handed on: a peer that never stops must not fill our disk.
      if (received > size) throw wrongSize(sha256, size, received);
      hash.update(data);
      if (data.length > 0) tries.progressed();
      yield data;
    }
  }
}

function wrongSize(sha256: Uint8Array, size: bigint, received: bigint): TransportError {
  const how = received > size ? 'at least ' : '';
  return new TransportError(
    'transport/blob-size',
    `${hex(sha256)} was announced with ${String(size)} bytes and has ${how}${String(received)}.`,
  );
}

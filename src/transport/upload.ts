// The masked vector up: from where the coordinator has it on disk, in chunks, again from there after a break.

import type { UploadStatusResponse } from '../wire/index.js';
import { UploadStatusResponse as StatusType, UploadStatusRequest } from '../wire/index.js';
import { encodeUploadChunk } from './bulk-codec.js';
import type { Channel } from './channel.js';
import { inChunks } from './chunks.js';
import type { Upload } from './clients.js';
import { TransportError } from './errors.js';
import { decodeMessage, encodeMessage, SILO_METHODS } from './methods.js';
import type { RetryOptions } from './retry.js';
import { Tries } from './retry.js';
import { throwIfAborted } from './waiting.js';

export async function uploadAll(channel: Channel, retry: RetryOptions, upload: Upload): Promise<void> {
  const { signal, totalBytes } = upload;
  const tries = new Tries(retry);
  let durable = -1;
  const reached = (status: UploadStatusResponse): void => {
    const now = Number(status.durableBytes);
    if (now > totalBytes)
      throw new TransportError(
        'transport/upload-past-end',
        `the coordinator has ${String(now)} bytes of an upload of ${String(totalBytes)}.`,
      );
    if (now > durable) tries.progressed();
    durable = now;
  };
  while (true) {
    throwIfAborted(signal);
    try {
      reached(await askStatus(channel, upload));
      if (durable === totalBytes) return;
      const from = durable;
      reached(await sendFrom(channel, upload, from));
      if (durable === totalBytes) return;
      // The answer came, and some bytes are not on the disk: go on from there, but not for ever.
      if (durable <= from) throw new TransportError('transport/broken', 'an upload made no progress.');
    } catch (error) {
      await tries.again(error, signal);
    }
  }
}

async function askStatus(channel: Channel, { rid, attempt, signal }: Upload): Promise<UploadStatusResponse> {
  const { path } = SILO_METHODS.uploadStatus;
  return decodeMessage(
    StatusType,
    await channel.unary(path, encodeMessage(UploadStatusRequest, { rid, attempt }), signal),
    path,
  );
}

async function sendFrom(channel: Channel, upload: Upload, offset: number): Promise<UploadStatusResponse> {
  const { path } = SILO_METHODS.uploadMasked;
  return decodeMessage(StatusType, await channel.upload(path, messages(upload, offset), upload.signal), path);
}

async function* messages(upload: Upload, offset: number): AsyncGenerator<Buffer, void, undefined> {
  const { rid, attempt } = upload;
  let target: { rid: Uint8Array; attempt: number; offset: bigint } | undefined = {
    rid,
    attempt,
    offset: BigInt(offset),
  };
  for await (const data of inChunks(upload.read(offset))) {
    yield encodeUploadChunk({ target, data });
    target = undefined;
  }
}

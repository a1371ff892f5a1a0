// Entries of the transparency log on the wire: each with its length before it, cut into messages wherever they are full.

import { concat, LIMITS, u16be } from '../base/index.js';
import { decodeData } from './bulk-codec.js';
import type { Channel } from './channel.js';
import { TransportError } from './errors.js';
import { encodeMessage, SILO_METHODS } from './methods.js';

const LENGTH_BYTES = 2;

/** `u16be(length) || entry`. */
export function frameEntry(entry: Uint8Array): Uint8Array<ArrayBuffer> {
  return concat(u16be(entry.length), entry);
}

/** Exactly `to - from` entries. Throws TransportError `transport/malformed` on fewer, on more, and on what is no entry. */
export async function* readEntries(
  channel: Channel,
  stallMs: number,
  { from, to }: { readonly from: number; readonly to: number },
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { path, definition } = SILO_METHODS.readLog;
  const request = encodeMessage(definition.requestType, { from: BigInt(from), to: BigInt(to) });
  const messages = channel.stream(path, request, signal, stallMs);
  let rest: Uint8Array = new Uint8Array(0);
  let count = 0;
  try {
    for await (const message of messages) {
      rest = concat(rest, decodeData(message));
      for (let entry = firstOf(rest); entry !== undefined; entry = firstOf(rest)) {
        if (++count > to - from) throw malformed(`more than ${String(to - from)} entries`);
        rest = rest.subarray(LENGTH_BYTES + entry.length);
        yield entry;
      }
    }
  } finally {
    await messages.return();
  }
  if (count !== to - from || rest.length > 0)
    throw malformed(`${String(count)} entries and ${String(rest.length)} bytes`);
}

/** The first whole entry of what has come; undefined while its end is missing. */
function firstOf(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length < LENGTH_BYTES) return undefined;
  const length = ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0);
  if (length === 0 || length > LIMITS.logEntryBytes) throw malformed(`an entry of ${String(length)} bytes`);
  return bytes.length < LENGTH_BYTES + length ? undefined : bytes.slice(LENGTH_BYTES, LENGTH_BYTES + length);
}

function malformed(what: string): TransportError {
  return new TransportError(
    'transport/malformed',
    `the coordinator served ${what} where entries of its log were asked for.`,
  );
}

// Every message that a peer or an operator can send, through the wire's decoder: it parses or is a WireError, and what it becomes in
// memory stays in proportion to its bytes.

import { concat, LIMITS } from '../../../src/base/index.js';
import * as wire from '../../../src/wire/index.js';
import { mutateBytes, repeated } from '../bytes.js';
import { mutateMessage } from '../message.js';
import type { Random } from '../random.js';
import { record, type Recording } from '../record.js';
import { ACCEPTED, codeOf, never, Violation, type Target } from '../target.js';

type Codec = wire.MessageType<unknown>;

/** The room's generated codecs, by the name of their message. */
export const CODECS: readonly (readonly [string, Codec])[] = Object.entries(wire)
  .filter((entry): entry is [string, never] => {
    const value: unknown = entry[1];
    return typeof value === 'object' && value !== null && 'decode' in value && 'encode' in value;
  })
  .map(([name, codec]) => [name, codec as Codec] as const);

/** What an object tree holds, roughly: an object or array costs 64 bytes, a byte array 160 with its buffer, texts two bytes a character. */
export function weigh(value: unknown): number {
  if (value instanceof Uint8Array) return 160 + value.length;
  if (typeof value === 'string') return 24 + 2 * value.length;
  if (typeof value === 'bigint') return 32;
  if (typeof value !== 'object' || value === null) return 8;
  let sum = 64;
  for (const inner of Object.values(value)) sum += weigh(inner);
  return sum;
}

/** A reading of bytes that must not cost more than this in memory. An empty round of a list is two bytes on the wire and 1200 here. */
function weightMax(bytes: number): number {
  return Math.min(4096 + 700 * bytes, 160 * 1024 * 1024);
}

const MAX = LIMITS.messageBytes;

export function wireTarget(decode: typeof wire.decode = wire.decode, recording: Recording = record()): Target {
  const samples = [...recording.samples.values()].flat();
  return {
    name: 'wire',
    generate: (random) => {
      const which = random.below(CODECS.length);
      return concat(Uint8Array.of(which), body(random, CODECS[which]![1]));
    },
    execute: (input) => {
      const [name, codec] = CODECS[(input[0] ?? 0) % CODECS.length]!;
      return readOne(decode, name, codec, input.slice(1));
    },
  };

  function body(random: Random, codec: Codec): Uint8Array {
    const start = random.once(3) ? wellFormed(random, codec) : random.pick(samples);
    if (random.once(40)) return repeated(Uint8Array.of((1 + random.below(20)) * 8 + 2, 0), random.size(5000));
    return mutateBytes(random, start, random.pick(samples)).slice(0, 100_000);
  }

  function wellFormed(random: Random, codec: Codec): Uint8Array {
    try {
      const grown = mutateMessage(random, codec.decode(random.pick(samples)), recording.pool);
      return wire.encode(codec, grown);
    } catch {
      // The sample was of another type, or the change cannot be written: some bytes, then.
      return random.bytes(random.size(200));
    }
  }
}

/** Decodes one message and checks what came of it. */
export function readOne(decode: typeof wire.decode, name: string, codec: Codec, bytes: Uint8Array): string {
  let message: unknown;
  try {
    message = decode(codec, name, bytes, MAX);
  } catch (error) {
    if (!(error instanceof wire.WireError)) throw error;
    return codeOf(error);
  }
  const weight = weigh(message);
  never(weight > weightMax(bytes.length), `${name}: ${bytes.length} bytes became about ${weight}`);
  never(sharesMemory(message, bytes), `${name} keeps the bytes it was read from`);
  // What was read can be written and read again as the same: one value has one meaning.
  let again: Uint8Array;
  try {
    again = wire.encode(codec, message);
  } catch (error) {
    throw new Violation(`${name} was read and cannot be written: ${String(error)}`);
  }
  never(
    again.length > 4 * bytes.length + 64,
    `${name} grew from ${bytes.length} to ${again.length} bytes by being read`,
  );
  const twice = wire.encode(codec, wire.decode(codec, name, again, 4 * MAX));
  never(!Buffer.from(again).equals(twice), `${name} changes each time it is read`);
  return ACCEPTED;
}

function sharesMemory(value: unknown, bytes: Uint8Array): boolean {
  if (value instanceof Uint8Array) return value.length > 0 && value.buffer === bytes.buffer;
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some((inner) => sharesMemory(inner, bytes));
}

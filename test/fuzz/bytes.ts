// Mutations that know nothing of the format, and a few that know how protobuf writes numbers and lengths.

import type { Random } from './random.js';

type Change = (random: Random, bytes: Uint8Array, donor: Uint8Array) => Uint8Array;

/** Varints at the edges of 7, 14, 31, 32, 53, 63 and 64 bits, one that never ends, and tags of odd wire types. */
const TOKENS: readonly Uint8Array[] = [
  [0x7f],
  [0x80, 0x01],
  [0xff, 0x7f],
  [0xff, 0xff, 0xff, 0xff, 0x07],
  [0xff, 0xff, 0xff, 0xff, 0x0f],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0x00],
  [0x0b, 0x0b, 0x0b],
  [0x0c],
  [0x0e],
  [0x0f],
  [0x07, 0x80, 0x80, 0x80, 0x00],
  [0x0a, 0x00],
  [0x12, 0x00],
  [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f],
  [0x00, 0x00, 0xf8, 0x7f],
  [0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xf0, 0xff],
].map((token) => Uint8Array.from(token));

function spliced(bytes: Uint8Array, at: number, remove: number, insert: Uint8Array): Uint8Array {
  const out = new Uint8Array(at + insert.length + Math.max(0, bytes.length - at - remove));
  out.set(bytes.subarray(0, at));
  out.set(insert, at);
  out.set(bytes.subarray(Math.min(bytes.length, at + remove)), at + insert.length);
  return out;
}

function part(random: Random, bytes: Uint8Array, max: number): Uint8Array {
  const start = random.below(bytes.length);
  return bytes.subarray(start, start + 1 + random.size(max));
}

/** The same bytes many times over. */
export function repeated(bytes: Uint8Array, times: number): Uint8Array {
  const out = new Uint8Array(bytes.length * times);
  for (let k = 0; k < times; k++) out.set(bytes, k * bytes.length);
  return out;
}

const CHANGES: readonly Change[] = [
  (random, bytes) => {
    const out = bytes.slice();
    if (out.length > 0) out[random.below(out.length)]! ^= 1 << random.below(8);
    return out;
  },
  (random, bytes) => {
    const out = bytes.slice();
    if (out.length > 0) out[random.below(out.length)] = random.u32() & 0xff;
    return out;
  },
  (random, bytes) => bytes.slice(0, random.below(bytes.length)),
  (random, bytes) => spliced(bytes, bytes.length, 0, random.bytes(1 + random.size(64))),
  (random, bytes) => spliced(bytes, random.below(bytes.length), random.size(32), new Uint8Array()),
  (random, bytes) => spliced(bytes, random.below(bytes.length), 0, part(random, bytes, 64)),
  (random, bytes, donor) => spliced(bytes, random.below(bytes.length), random.size(64), part(random, donor, 256)),
  (random, bytes) => {
    const token = random.pick(TOKENS);
    return spliced(bytes, random.below(bytes.length), random.once(2) ? token.length : 0, token);
  },
  (random, bytes) => spliced(bytes, random.below(bytes.length), 0, repeated(random.pick(TOKENS), 1 + random.size(512))),
  (random, bytes) =>
    spliced(bytes, random.below(bytes.length), 0, repeated(part(random, bytes, 8), 1 + random.size(256))),
  (random, bytes) => nested(random, bytes),
];

/** The bytes as a field of a message, as a field of a message, and so on. */
function nested(random: Random, bytes: Uint8Array): Uint8Array {
  const tag = (1 + random.below(15)) * 8 + 2;
  let out: Uint8Array = bytes.slice(0, 40);
  for (let depth = random.size(120); depth > 0; depth--) {
    const length = out.length < 0x80 ? [out.length] : [(out.length & 0x7f) | 0x80, out.length >> 7];
    out = spliced(out, 0, 0, Uint8Array.of(tag, ...length));
  }
  return out;
}

/** One to four changes. `donor` is another valid input, of which pieces are taken. */
export function mutateBytes(random: Random, bytes: Uint8Array, donor: Uint8Array = bytes): Uint8Array {
  let out = bytes;
  for (let changes = 1 + random.size(3); changes > 0; changes--) out = random.pick(CHANGES)(random, out, donor);
  return out;
}

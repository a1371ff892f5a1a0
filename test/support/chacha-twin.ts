// ChaCha20-Poly1305 straight from RFC 8439, slow and independent: what the platform's is compared with.

import { concat } from '../../src/base/index.js';

const P = (1n << 130n) - 5n;

export function chachaPoly(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plain: Uint8Array): Uint8Array {
  const ciphertext = new Uint8Array(plain.length);
  for (let at = 0; at < plain.length; at += 64) {
    const stream = block(key, nonce, 1 + at / 64);
    for (let k = 0; k < 64 && at + k < plain.length; k++) ciphertext[at + k] = plain[at + k]! ^ stream[k]!;
  }
  const pad = (bytes: Uint8Array): Uint8Array => new Uint8Array((16 - (bytes.length % 16)) % 16);
  const lengths = new Uint8Array(16);
  new DataView(lengths.buffer).setUint32(0, aad.length, true);
  new DataView(lengths.buffer).setUint32(8, plain.length, true);
  const said = concat(aad, pad(aad), ciphertext, pad(ciphertext), lengths);
  return concat(ciphertext, poly1305(block(key, nonce, 0).subarray(0, 32), said));
}

/** §2.5.1. */
function poly1305(key: Uint8Array, message: Uint8Array): Uint8Array {
  const r = little(key.subarray(0, 16)) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
  let sum = 0n;
  for (let at = 0; at < message.length; at += 16) {
    const piece = message.subarray(at, at + 16);
    sum = ((sum + little(piece) + (1n << BigInt(8 * piece.length))) * r) % P;
  }
  let tag = sum + little(key.subarray(16, 32));
  return Uint8Array.from({ length: 16 }, () => {
    const byte = Number(tag & 255n);
    tag >>= 8n;
    return byte;
  });
}

function little(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => (sum << 8n) + BigInt(byte), 0n);
}

/** §2.3. */
function block(key: Uint8Array, nonce: Uint8Array, counter: number): Uint8Array {
  const words = (bytes: Uint8Array): number[] =>
    Array.from({ length: bytes.length / 4 }, (_, k) => Number(little(bytes.subarray(4 * k, 4 * k + 4))));
  const start = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, ...words(key), counter, ...words(nonce)];
  const state = Uint32Array.from(start);
  const quarter = (a: number, b: number, c: number, d: number): void => {
    const mix = (x: number, y: number, z: number, bits: number): void => {
      state[x]! += state[y]!;
      const turned = state[z]! ^ state[x]!;
      state[z] = (turned << bits) | (turned >>> (32 - bits));
    };
    mix(a, b, d, 16);
    mix(c, d, b, 12);
    mix(a, b, d, 8);
    mix(c, d, b, 7);
  };
  for (let round = 0; round < 10; round++) {
    for (let k = 0; k < 4; k++) quarter(k, k + 4, k + 8, k + 12);
    for (let k = 0; k < 4; k++) quarter(k, 4 + ((k + 1) % 4), 8 + ((k + 2) % 4), 12 + ((k + 3) % 4));
  }
  const out = new Uint8Array(64);
  state.forEach((word, k) => {
    new DataView(out.buffer).setUint32(4 * k, word + start[k]!, true);
  });
  return out;
}

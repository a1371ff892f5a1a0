// Repeatable randomness for experiments, from SHA-256: equal on every machine, and of no use as a secret.

import { createHash } from 'node:crypto';
import type { RandomWords } from '../../src/vector/index.js';

/** 32 bytes that depend on every argument. */
export function seedBytes(purpose: string, ...numbers: readonly number[]): Uint8Array {
  return createHash('sha256')
    .update([purpose, ...numbers].join('/'))
    .digest();
}

/** Words for rounding: one SHA-256 for each eight of them. */
export function seededWords(seed: Uint8Array): RandomWords {
  let block = 0;
  return (count) => {
    const words = new Uint32Array(count);
    for (let at = 0; at < count; at += 8) {
      const digest = createHash('sha256').update(seed).update(String(block++)).digest();
      for (let i = 0; i < 8 && at + i < count; i++) words[at + i] = digest.readUInt32LE(4 * i);
    }
    return words;
  };
}

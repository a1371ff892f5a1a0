// Whoever takes part, drops out, and whatever the modulus: what is left after removing the remaining masks is the sum of the survivors.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { asHash } from '../../../src/base/index.js';
import { SecretBytes } from '../../../src/crypto/index.js';
import {
  applyMasks,
  inputMasks,
  remainingMasks,
  RANGE_ALIGNMENT,
  type MaskKeys,
} from '../../../src/protocol/masking.js';
import { attemptSecrets, type AttemptSecrets } from '../../../src/protocol/secrets.js';
import { openPiece } from '../../../src/protocol/index.js';
import { seedFrom } from '../../support/memory/founding.js';

interface Case {
  readonly dealers: number[];
  readonly survivors: number[];
  readonly bits: number;
  readonly length: number;
  readonly seed: number;
  /** Where the vector is cut, in whole keystream blocks. */
  readonly cut: number;
}

const cases = fc
  .record({
    n: fc.integer({ min: 2, max: 12 }),
    bits: fc.integer({ min: 16, max: 32 }),
    length: fc.integer({ min: 1, max: 70 }),
    seed: fc.nat(),
    cut: fc.nat(17),
  })
  .chain(({ n, ...rest }) =>
    fc
      .subarray(
        Array.from({ length: n }, (_, i) => i * 3),
        { minLength: 2 },
      )
      .chain((dealers) =>
        fc.subarray(dealers, { minLength: 1 }).map((survivors): Case => ({ dealers, survivors, ...rest })),
      ),
  );

/** The last whole keystream block of a vector, or the one asked for. */
function cutAt(length: number, cut: number): number {
  return Math.min(cut, Math.floor(length / RANGE_ALIGNMENT)) * RANGE_ALIGNMENT;
}

/** The masks put on in two ranges, as workers do it. */
function inRanges(words: Int32Array, keys: MaskKeys, bits: number, cut: number): Int32Array {
  const at = cutAt(words.length, cut);
  const [head, tail] = [words.slice(0, at), words.slice(at)];
  applyMasks(head, 0, keys, bits);
  applyMasks(tail, at, keys, bits);
  return Int32Array.from([...head, ...tail]);
}

const complete = { adjacent: () => true };

it('the opened sum is the sum of the survivors, in whichever ranges the masks were put on and taken off', () => {
  fc.assert(
    fc.property(cases, ({ dealers, survivors, bits, length, seed, cut }) => {
      const [rid, t2] = [asHash(seedFrom(`rid ${seed}`))!, asHash(seedFrom(`t2 ${seed}`))!];
      const secrets = new Map<number, AttemptSecrets>(
        dealers.map((i) => [i, attemptSecrets(SecretBytes.of<'rho'>(seedFrom(`rho ${seed} ${i}`)), rid, 1)]),
      );
      const sums = new Float64Array(length);
      const expected = new Array<number>(length).fill(0);
      for (const i of survivors) {
        const { mask, selfSecret } = secrets.get(i)!;
        const peers = new Map(dealers.filter((j) => j !== i).map((j) => [j, secrets.get(j)!.mask.publicKey]));
        // Small signed inputs, whose sum stays within the modulus.
        const input = Int32Array.from({ length }, (_, k) => ((i * 31 + k * 17 + seed) % 2001) - 1000);
        input.forEach((value, k) => (expected[k]! += value));
        const whole = input.slice();
        const keys = inputMasks(mask, selfSecret, i, peers, t2);
        applyMasks(whole, 0, keys, bits);
        const masked = inRanges(input, keys, bits, cut);
        expect(masked).toEqual(whole);
        masked.forEach((word, k) => (sums[k]! += bits === 32 ? word >>> 0 : word));
      }
      const dropped = dealers.filter((i) => !survivors.includes(i));
      const left = remainingMasks(
        new Map(survivors.map((i) => [i, secrets.get(i)!.selfSecret])),
        new Map(dropped.map((i) => [i, secrets.get(i)!.maskSecret])),
        new Map(survivors.map((i) => [i, secrets.get(i)!.mask.publicKey])),
        t2,
        complete,
      );
      expect([...openPiece(sums, 0, left, bits)]).toEqual(expected);
      const at = cutAt(length, cut);
      expect([...openPiece(sums.slice(0, at), 0, left, bits), ...openPiece(sums.slice(at), at, left, bits)]).toEqual(
        expected,
      );
    }),
    { seed: 5, numRuns: 60 },
  );
});

it('a sum opened with a secret too few, or on another T2, is not the sum of the survivors', () => {
  const rid = asHash(seedFrom('rid'))!;
  const t2 = asHash(seedFrom('t2'))!;
  const secrets = [0, 1, 2].map((i) => attemptSecrets(SecretBytes.of<'rho'>(seedFrom(`rho ${i}`)), rid, 1));
  const sums = new Float64Array(8);
  secrets.slice(0, 2).forEach(({ mask, selfSecret }, i) => {
    const words = new Int32Array(8);
    const peers = new Map(secrets.flatMap((one, j) => (j === i ? [] : [[j, one.mask.publicKey] as const])));
    applyMasks(words, 0, inputMasks(mask, selfSecret, i, peers, t2), 32);
    words.forEach((word, k) => (sums[k]! += word >>> 0));
  });
  const self = new Map(secrets.slice(0, 2).map(({ selfSecret }, i) => [i, selfSecret]));
  const key = new Map([[2, secrets[2]!.maskSecret]]);
  const keys = new Map(secrets.slice(0, 2).map(({ mask }, i) => [i, mask.publicKey]));
  const zero = new Array<number>(8).fill(0);
  expect([...openPiece(sums, 0, remainingMasks(self, key, keys, t2, complete), 32)]).toEqual(zero);
  for (const [s, k, at] of [
    [new Map([...self].slice(1)), key, t2],
    [self, new Map(), t2],
    [self, key, rid],
  ] as const)
    for (const word of openPiece(sums, 0, remainingMasks(s, k, keys, at, complete), 32)) expect(word).not.toBe(0);
});

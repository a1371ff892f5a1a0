// Whatever the values, widths and pieces: bytes round-trip, and the fast code is the slow code.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  addFingerprints,
  Fingerprint,
  pack,
  quantise,
  dequantise,
  layoutOf,
  unpackInto,
} from '../../../src/vector/index.js';
import { fingerprintTwin, packTwin } from '../../support/vector-twins.js';

const valuesOf = (bits: number): fc.Arbitrary<number[]> =>
  fc.array(
    fc.maxSafeNat().map((x) => x % 2 ** bits),
    { maxLength: 40 },
  );

it('packed values are those of the twin and come back, for every width from 16 to 40', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 16, max: 40 }).chain((width) => fc.tuple(fc.constant(width), valuesOf(width))),
      ([width, values]) => {
        const bytes = pack(values, width);
        expect(bytes).toEqual(packTwin(values, width));
        const back = new Float64Array(values.length);
        unpackInto(back, bytes, width);
        expect([...back]).toEqual(values);
      },
    ),
    { seed: 1, numRuns: 300 },
  );
});

it('a fingerprint is that of the twin, additive, and does not depend on how it was cut', () => {
  const input = fc.array(
    fc.tuple(
      fc.maxSafeNat().map((x) => x % 2 ** 39),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    ),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(input, fc.nat(60), (pairs, cut) => {
      const values = pairs.map(([value]) => value);
      const weights = new Uint8Array(8 * pairs.length);
      pairs.forEach(([, weight], k) => {
        new DataView(weights.buffer).setBigUint64(8 * k, weight, true);
      });
      const of = (given: number[], at = 0): bigint => {
        const print = new Fingerprint();
        const first = Math.min(cut, given.length);
        print.update(given.slice(0, first), weights.subarray(8 * at, 8 * (at + first)));
        print.update(given.slice(first), weights.subarray(8 * (at + first), 8 * (at + given.length)));
        return print.digest();
      };
      expect(of(values)).toBe(fingerprintTwin(values, weights));
      expect(of(values.map((value) => 2 * value))).toBe(addFingerprints([of(values), of(values)]));
    }),
    { seed: 2, numRuns: 300 },
  );
});

it('a quantised value is within one unit of the clipped one, and within its bound', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -10, max: 10, noNaN: true }), { minLength: 1, maxLength: 30 }),
      fc.double({ min: 0.1, max: 5, noNaN: true }),
      fc.integer({ min: 1, max: 10_000 }),
      fc.array(fc.nat(0xffffffff), { minLength: 30, maxLength: 30 }),
      (values, clip, scale, random) => {
        const quantiser = { kind: 'real', clipKind: 'each', clip, scale, qMax: Math.ceil(clip * scale) } as const;
        const layout = layoutOf([{ name: 'x', length: values.length, quantiser, visibility: 'public', coarseStep: 0 }]);
        const out = quantise(layout, [{ name: 'x', values: Float64Array.from(values) }], (count) =>
          Uint32Array.from(random.slice(0, count)),
        );
        const back = dequantise(layout.segments[0]!, out.values);
        values.forEach((value, k) => {
          const clipped = Math.max(-clip, Math.min(clip, value));
          expect(Math.abs(back[k]! - clipped)).toBeLessThanOrEqual(1 / scale + 1e-9);
          expect(Math.abs(out.values[k]!)).toBeLessThanOrEqual(quantiser.qMax);
        });
        expect(out.saturated).toBeGreaterThanOrEqual(values.filter((value) => Math.abs(value) > clip).length);
      },
    ),
    { seed: 3, numRuns: 200 },
  );
});

// The measure of what a fixed-point sum costs: it sees rounding and nothing else, and stops at anything more.

import { describe, expect, it } from 'vitest';
import { SEGMENT } from '../../../src/job/index.js';
import { layoutOf, quantise, type SegmentValues } from '../../../src/vector/index.js';
import { seededFloats } from '../../support/onnx-models.js';
import { seedBytes, seededWords } from '../../../tools/results/random.js';
import { sumErrorOf } from '../../../tools/results/sum-error.js';

const SILOS = 6;
const LENGTH = 500;
const real = (name: string, length: number, scale: number) => ({
  name,
  length,
  visibility: 'public' as const,
  coarseStep: 1,
  quantiser: { kind: 'real' as const, clipKind: 'each' as const, clip: 1, scale, qMax: 2 ** 24 },
});
const layout = layoutOf([real(SEGMENT.delta, LENGTH, 2 ** 20), real(SEGMENT.weight, 1, 2 ** 20)]);
const parts = Array.from({ length: SILOS }, (_, i): SegmentValues[] => [
  { name: SEGMENT.delta, values: seededFloats(LENGTH, i + 1, 0.5) },
  { name: SEGMENT.weight, values: Float64Array.of(0.3 + i / 10) },
]);

function opened(): Int32Array {
  const sum = new Int32Array(layout.length);
  parts.forEach((segments, i) => {
    quantise(layout, segments, seededWords(seedBytes('test', i))).values.forEach(
      (value, k) => (sum[k] = sum[k]! + value),
    );
  });
  return sum;
}

describe('the error of a sum', () => {
  it('is what rounding allows, and not nothing', () => {
    const error = sumErrorOf(layout, parts, opened());
    expect(error.unitsAllowed).toBe(SILOS);
    expect(error.units).toBeGreaterThan(0.5);
    expect(error.units).toBeLessThan(SILOS);
    // |mean| <= 0.5, weights add up to 3.3.
    expect(error.mean).toBeLessThan((2 * SILOS) / 2 ** 20 / 3.3);
    expect(error.mean).toBeGreaterThan(0);
  });

  it('ends the run where one coordinate is off by more', () => {
    const wrong = opened();
    wrong[123] = wrong[123]! + 2 * SILOS;
    expect(() => sumErrorOf(layout, parts, wrong)).toThrow(/coordinate 123 of "delta"/);
  });
});

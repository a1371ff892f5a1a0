// Whatever the records are, statistics through quantised sums are those of the pooled records, within the stated rounding.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { deriveLayout, readStatistics, roundingError, statisticsSegments } from '../../src/job/index.js';
import { statisticsContract as contract } from '../support/jobs.js';
import { sumOf } from '../support/sum-of-silos.js';
import { vectorLayout } from '../support/vector-layout.js';

const row = fc.tuple(fc.float({ min: 0, max: 120, noNaN: true }), fc.float({ min: 0, max: 700, noNaN: true }));

it('mean and deviation of any records are within what rounding allows', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(row, { minLength: 1, maxLength: 40 }), { minLength: 3, maxLength: 12 }),
      fc.integer({ min: 24, max: 32 }),
      (silos, modulusBits) => {
        const layout = deriveLayout(
          { kind: 'statistics', contract: { ...contract, maxRows: 100 } },
          { silos: silos.length, modulusBits },
        );
        const parts = silos.map((rows) =>
          statisticsSegments({ rows: rows.length, features: Float32Array.from(rows.flat()) }, contract),
        );
        const sum = { layout: vectorLayout(layout), values: sumOf(vectorLayout(layout), parts) };
        const { rows, mean, standardDeviation } = readStatistics(sum, contract, silos.length);
        const pooled = silos.flat();
        expect(rows).toBe(pooled.length);
        const bound = roundingError(layout.segments[1]!, silos.length) / rows;
        contract.features.forEach(({ minimum, maximum }, i) => {
          const scaled = pooled.map((values) => (values[i]! - minimum) / (maximum - minimum));
          const m = scaled.reduce((a, b) => a + b, 0) / rows;
          const variance = scaled.reduce((a, x) => a + (x - m) ** 2, 0) / rows;
          const width = maximum - minimum;
          expect(Math.abs((mean[i]! - minimum) / width - m)).toBeLessThanOrEqual(bound + 1e-12);
          // To first order 3 bounds; a deviation reported as 0 hides at most twice that.
          expect(Math.abs((standardDeviation[i]! / width) ** 2 - variance)).toBeLessThanOrEqual(
            6 * bound + bound * bound + 1e-12,
          );
        });
      },
    ),
    { seed: 2, numRuns: 200 },
  );
});

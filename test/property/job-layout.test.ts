// Every layout that can be derived keeps the sum of all silos inside the modulus.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { deriveLayout, JobError } from '../../src/job/index.js';
import type { SumLayout } from '../../src/wire/index.js';
import { refuseOverflow } from '../../src/vector/index.js';
import { trainingTerms } from '../support/jobs.js';
import { vectorLayout } from '../support/vector-layout.js';

function largest({ quantiser }: SumLayout['segments'][number]): bigint {
  if (quantiser === undefined) throw new Error('no quantiser');
  return quantiser.$case === 'real' ? quantiser.value.qMax : quantiser.value.max;
}

it('no layout can overflow: n * qMax < 2^(m-1) in every segment, and a clipped value stays within qMax', () => {
  let derived = 0;
  fc.assert(
    fc.property(
      fc.record({ silos: fc.integer({ min: 3, max: 200 }), modulusBits: fc.integer({ min: 16, max: 32 }) }),
      fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
      fc.integer({ min: 20, max: 100_000 }),
      (room, clip, maxRows) => {
        if (trainingTerms.kind !== 'train') throw new Error('not training');
        let layout: SumLayout;
        try {
          layout = deriveLayout({ ...trainingTerms, clip, contract: { ...trainingTerms.contract, maxRows } }, room);
        } catch (error) {
          expect(error).toBeInstanceOf(JobError);
          return;
        }
        derived++;
        refuseOverflow(vectorLayout(layout), room.silos, room.modulusBits);
        for (const segment of layout.segments) {
          expect(BigInt(room.silos) * largest(segment)).toBeLessThan(2n ** BigInt(room.modulusBits - 1));
          if (segment.quantiser?.$case !== 'real') continue;
          const { clip: bound, scale, qMax } = segment.quantiser.value;
          expect(Math.ceil(bound * scale)).toBeLessThanOrEqual(Number(qMax));
        }
      },
    ),
    { seed: 1, numRuns: 500 },
  );
  expect(derived).toBeGreaterThan(100);
});

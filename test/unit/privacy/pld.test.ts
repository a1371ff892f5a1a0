// The privacy loss accountant: never below the truth, never above the Rényi accountant, and close to the truth.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accountRun, gaussianEpsilon, rdpOfRun } from '../../../src/privacy/index.js';
import { fftInto } from '../../../src/privacy/numeric/fft.js';
import { erfcx, logNormalCdf } from '../../../src/privacy/numeric/normal.js';
import { discretise } from '../../../src/privacy/pld/discretise.js';
import { epsilonOfLoss } from '../../../src/privacy/pld/epsilon.js';
import { additionLoss, removalLoss } from '../../../src/privacy/pld/loss.js';
import { trueDeltaOfOneStep, trueDeltaOfTwoSteps } from '../../support/privacy/truth.js';

describe('the privacy loss distribution', () => {
  it('composed without sampling is the Gaussian mechanism, from above, to one part in a thousand', () => {
    for (const [noise, steps, delta] of [
      [1, 1, 1e-5],
      [3, 10, 1e-6],
      [20, 1000, 1e-5],
      [100, 100_000, 1e-9],
    ] as const) {
      const guide = rdpOfRun({ sampling: 1, noise, steps, delta });
      const exact = gaussianEpsilon(noise / Math.sqrt(steps), delta);
      for (const curve of [removalLoss(1, noise), additionLoss(1, noise)]) {
        const epsilon = epsilonOfLoss(curve, steps, delta, guide);
        expect(epsilon).toBeGreaterThanOrEqual(exact);
        expect(epsilon).toBeLessThan(exact * 1.001);
      }
    }
  });

  it('of one step is the true one, from above', () => {
    for (const [sampling, noise, delta] of [
      [0.02, 1, 1e-5],
      [0.3, 0.7, 1e-4],
      [0.5, 3, 1e-3],
    ] as const) {
      const { epsilon } = accountRun({ sampling, noise, steps: 1, delta }).pld;
      expect(trueDeltaOfOneStep(sampling, noise, epsilon)).toBeLessThanOrEqual(delta * (1 + 1e-6));
      expect(trueDeltaOfOneStep(sampling, noise, epsilon * 0.995)).toBeGreaterThan(delta);
    }
  });

  it('of two steps is the true one, from above', () => {
    for (const [sampling, noise, delta] of [
      [0.2, 1, 1e-4],
      [0.6, 2, 1e-3],
    ] as const) {
      const { epsilon } = accountRun({ sampling, noise, steps: 2, delta }).pld;
      // The sum over the plane is itself good to a few parts in a thousand.
      expect(trueDeltaOfTwoSteps(sampling, noise, epsilon)).toBeLessThanOrEqual(delta * 1.002);
      expect(trueDeltaOfTwoSteps(sampling, noise, epsilon * 0.98)).toBeGreaterThan(delta);
    }
  });

  it('of many steps is at least what any one of them costs, and grows with their number', () => {
    let last = 0;
    for (const steps of [1, 4, 16, 256, 4096]) {
      const { rdp, pld } = accountRun({ sampling: 0.05, noise: 1.3, steps, delta: 1e-6 });
      expect(pld.epsilon).toBeGreaterThan(last);
      expect(pld.epsilon).toBeLessThanOrEqual(rdp.epsilon);
      last = pld.epsilon;
    }
  });

  it('is known for runs that are often quoted', () => {
    // 60,000 records, batches of 256, 60 epochs: about 2.6 by Rényi divergences and 2.4 by the loss distribution in the literature.
    const { rdp, pld } = accountRun({ sampling: 256 / 60_000, noise: 1.1, steps: 14_062, delta: 1e-5 });
    expect(rdp.epsilon).toBeCloseTo(2.597, 2);
    expect(pld.epsilon).toBeCloseTo(2.382, 2);
  });

  it('is a number at the edges, and never above the Rényi accountant', () => {
    for (const sampling of [1e-300, 1e-9, 1 - 2 ** -53, 1])
      for (const noise of [0.01, 1e5])
        for (const [steps, delta] of [
          [1, 1e-15],
          [1_000_000, 1e-5],
        ] as const) {
          const { rdp, pld } = accountRun({ sampling, noise, steps, delta });
          expect(rdp.epsilon).toBeGreaterThanOrEqual(0);
          expect(rdp.epsilon).toBeLessThan(Infinity);
          expect(pld.epsilon).toBeGreaterThanOrEqual(0);
          expect(pld.epsilon).toBeLessThanOrEqual(rdp.epsilon);
        }
  });

  it('costs nothing where nobody is sampled', () => {
    expect(accountRun({ sampling: 0, noise: 1, steps: 10, delta: 1e-5 }).pld.epsilon).toBe(0);
  });

  it('splits mass over its grid without losing any, and never to a smaller mean', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        fc.double({ min: 0.5, max: 5, noNaN: true }),
        (q, sigma) => {
          for (const curve of [removalLoss(q, sigma), additionLoss(q, sigma)]) {
            const grid = discretise(curve, { step: 0.01, low: curve.loss(-8), high: curve.loss(8) });
            const total = grid.mass.reduce((sum, mass) => sum + mass, grid.infinite);
            expect(total).toBeCloseTo(1, 12);
            // Under Q the mass is e^(-loss) of that under P: it must still add up to 1, less what is infinite.
            const other = grid.mass.reduce((sum, mass, k) => sum + mass * Math.exp(-(grid.first + k) * grid.step), 0);
            expect(other).toBeLessThanOrEqual(1 + 1e-9);
            expect(other).toBeGreaterThan(1 - 1e-6);
          }
        },
      ),
      { numRuns: 15 },
    );
  });
});

describe('its arithmetic', () => {
  it('transforms there and back, and as the sum that it stands for', () => {
    const n = 64;
    const signal = Array.from({ length: n }, (_, k) => Math.sin(k * k) + k / 10);
    const z = { re: Float64Array.from(signal), im: new Float64Array(n) };
    fftInto(z);
    for (const k of [0, 1, 31, 63]) {
      const sum = signal.reduce((total, value, j) => total + value * Math.cos((2 * Math.PI * j * k) / n), 0);
      expect(z.re[k]).toBeCloseTo(sum, 10);
    }
    fftInto(z, true);
    signal.forEach((value, k) => {
      expect(z.re[k]).toBeCloseTo(value, 12);
    });
  });

  it('knows the tails of the normal distribution, by quadrature', () => {
    for (const x of [0, 0.3, 1.49, 1.51, 3, 8, 30]) {
      // e^(x^2) erfc(x) = 2/sqrt(pi) times the integral of e^(-t^2 - 2 x t) over t > 0, by Simpson's rule.
      const step = 12 / (1 + x) / 20_000;
      let sum = 0;
      for (let k = 0; k <= 20_000; k++) {
        const t = k * step;
        sum += (k === 0 || k === 20_000 ? 1 : k % 2 === 1 ? 4 : 2) * Math.exp(-t * t - 2 * x * t);
      }
      expect(erfcx(x) / (((2 / Math.sqrt(Math.PI)) * sum * step) / 3)).toBeCloseTo(1, 9);
    }
    expect(Math.exp(logNormalCdf(0))).toBeCloseTo(0.5, 15);
    expect(Math.exp(logNormalCdf(3)) + Math.exp(logNormalCdf(-3))).toBeCloseTo(1, 14);
    expect(logNormalCdf(-40)).toBeLessThan(-800);
  });
});

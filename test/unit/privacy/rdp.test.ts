// Rényi accountants against quadrature and against exact sums, and their conversion to (epsilon, delta).

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  accountRun,
  deltaOf,
  discreteGaussianRdp,
  distributedGaussianRdp,
  epsilonOf,
  epsilonOfRho,
  gaussianDelta,
  gaussianEpsilon,
  gaussianRho,
  integerSensitivity,
  noiseFor,
  ORDERS,
  poissonSampledRdp,
  PrivacyError,
  rdpOfRun,
  rhoOfEpsilon,
  sampledGaussianRdp,
  skellamRdp,
  stepsFor,
} from '../../../src/privacy/index.js';
import { discreteGaussianPmf, shiftedRdp, skellamPmf, trueRdp } from '../../support/privacy/truth.js';

const MECHANISMS = [0.5, 0.1, 0.01, 1e-4].flatMap((sampling) =>
  [0.6, 1, 2.5, 10].map((noise) => ({ sampling, noise })),
);

describe('the sampled Gaussian', () => {
  it('agrees with quadrature to 1e-6 at whole orders', () => {
    for (const mechanism of MECHANISMS)
      for (const order of [2, 3, 5, 8, 17, 32, 64]) {
        const truth = trueRdp(mechanism.sampling, mechanism.noise, order);
        const ratio = sampledGaussianRdp(mechanism, order) / truth;
        expect(Math.abs(ratio - 1), `${JSON.stringify(mechanism)} at ${order}`).toBeLessThan(1e-6);
      }
  });

  it('is never below quadrature between whole orders, and close to it where its series converges', () => {
    let close = 0;
    let all = 0;
    for (const mechanism of MECHANISMS)
      for (const order of [1.1, 1.5, 2.5, 4.7, 11.3, 31.9]) {
        const ratio = sampledGaussianRdp(mechanism, order) / trueRdp(mechanism.sampling, mechanism.noise, order);
        expect(ratio, `${JSON.stringify(mechanism)} at ${order}`).toBeGreaterThan(1 - 1e-9);
        all++;
        if (ratio < 1 + 1e-6) close++;
      }
    expect(close / all).toBeGreaterThan(0.5);
  });

  it('is the Gaussian without sampling, and nothing without records', () => {
    expect(sampledGaussianRdp({ sampling: 1, noise: 2 }, 5)).toBe(5 / 8);
    expect(sampledGaussianRdp({ sampling: 0, noise: 2 }, 5)).toBe(0);
    expect(sampledGaussianRdp({ sampling: 1 - 1e-12, noise: 2 }, 5)).toBeCloseTo(5 / 8, 9);
  });

  it('grows with the order, the sampling rate and falls with the noise', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-6, max: 0.99, noNaN: true }),
        fc.double({ min: 0.3, max: 50, noNaN: true }),
        fc.constantFrom(...ORDERS.filter((order) => order <= 128)),
        (sampling, noise, order) => {
          const at = sampledGaussianRdp({ sampling, noise }, order);
          const more = 1 + 1e-9;
          expect(at).toBeLessThanOrEqual(sampledGaussianRdp({ sampling, noise }, Math.ceil(order + 1)) * more);
          expect(at).toBeLessThanOrEqual(
            sampledGaussianRdp({ sampling: sampling * 1.01, noise }, Math.ceil(order)) * more,
          );
          expect(sampledGaussianRdp({ sampling, noise: noise * 1.2 }, Math.ceil(order))).toBeLessThanOrEqual(
            sampledGaussianRdp({ sampling, noise }, Math.ceil(order)) * more,
          );
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('figures that others have published', () => {
  it('divergences of 50 steps, noise 2.5 and sampling 0.01: Google dp-accounting', () => {
    // rdp_privacy_accountant_test.py, test_compute_rdp_poisson_sampled_gaussian: five digits of the series, and what a later version has,
    // nine digits at whole orders and an upper bound between them.
    for (const [order, series, later] of [
      [1.5, 6.5007e-4, 6.70579741e-4],
      [2.5, 1.0854e-3, 1.0854871e-3],
      [5, 2.1808e-3, 2.18075656e-3],
      [50, 2.3846e-2, 2.38460375e-2],
      [100, 167.42, 167.416308],
    ] as const) {
      const divergence = 50 * sampledGaussianRdp({ sampling: 0.01, noise: 2.5 }, order);
      expect(Math.abs(divergence / series - 1), String(order)).toBeLessThan(5e-5);
      expect(divergence / later, String(order)).toBeLessThan(1 + 1e-8);
      if (Number.isInteger(order)) expect(divergence / later, String(order)).toBeGreaterThan(1 - 1e-8);
    }
  });

  it.each([
    // q, noise, steps, delta, and epsilon at the best of the orders that they look at.
    ['Opacus, accountants_test.py', 0.04, 1.5, 2250, 1e-5, 7.32911117143],
    ['TensorFlow Privacy, compute_dp_sgd_privacy_test.py', 150 / 60_000, 1.3, 6000, 1e-5, 0.7242234026109595],
    ['TensorFlow Privacy, compute_dp_sgd_privacy_test.py', 1e-3, 1, 30_000, 1e-7, 1.4154988495444845],
    ['Google dp-accounting, the noise of (1, 1e-6)', 1, 4.530877117, 1, 1e-6, 1],
  ])('epsilon of %s, with sampling %f and noise %f', (_, sampling, noise, steps, delta, published) => {
    const { rdp, pld } = accountRun({ sampling, noise, steps, delta });
    // More orders prove a little less, and the same theorem at the same order nothing less than theirs.
    expect(rdp.epsilon).toBeLessThanOrEqual(published * (1 + 1e-6));
    expect(rdp.epsilon).toBeGreaterThan(published * 0.995);
    expect(pld.epsilon).toBeLessThanOrEqual(rdp.epsilon);
  });

  it('epsilon by the loss distribution: no less than two other programs prove to be true, and hardly more', () => {
    // Opacus, PRVAccountant: at most 0.01 from the true epsilon on either side.
    const opacus = accountRun({ sampling: 0.04, noise: 1.5, steps: 2249, delta: 1e-5 }).pld.epsilon;
    expect(opacus).toBeGreaterThan(6.777395712150674 - 0.02);
    expect(opacus).toBeLessThan(6.777395712150674 + 0.01);
    // Koskela, Jälkö, Honkela (2019), simple_usage_example.py of their Fourier accountant: delta of epsilon 1 when a record is removed.
    const koskela = accountRun({ sampling: 0.01, noise: 4, steps: 10_000, delta: 4.243484012034273e-6 }).pld.epsilon;
    expect(koskela).toBeGreaterThan(1 - 1e-6);
    expect(koskela).toBeLessThan(1.002);
  });
});

describe('integer noise', () => {
  it('Skellam: the bound holds for the exact divergence, and is close to it where the noise is large', () => {
    for (const mu of [4, 25, 400])
      for (const shift of [1, 2, 5])
        for (const order of [2, 3, 8]) {
          const exact = shiftedRdp(skellamPmf(mu), Math.ceil(14 * Math.sqrt(mu)) + 40, shift, order);
          const bound = skellamRdp({ l1: shift, l2: shift }, mu, order);
          expect(bound).toBeGreaterThanOrEqual(exact * (1 - 1e-6));
          if (mu === 400) expect(bound / exact).toBeLessThan(1.02);
        }
    expect(skellamRdp({ l1: 1, l2: 1 }, 25, 2.5)).toBe(Infinity);
  });

  it('discrete Gaussian: the bound holds for the exact divergence, of one and of several contributors', () => {
    for (const sigma of [0.6, 1, 4])
      for (const order of [2, 3, 8]) {
        const one = discreteGaussianPmf(sigma);
        const reach = Math.ceil(14 * sigma) + 30;
        expect(discreteGaussianRdp({ l1: 1, l2: 1 }, sigma, order)).toBeGreaterThanOrEqual(
          shiftedRdp(one, reach, 1, order) * (1 - 1e-9),
        );
        const pair = (k: number): number => {
          let sum = 0;
          for (let j = -reach; j <= reach; j++) sum += one(j) * one(k - j);
          return sum;
        };
        const bound = distributedGaussianRdp({ l1: 1, l2: 1 }, { sigma, parties: 2, dimensions: 1 }, order);
        expect(bound).toBeGreaterThanOrEqual(shiftedRdp(pair, reach, 1, order) * (1 - 1e-9));
      }
  });

  it('sensitivity: the L1 norm of integers is bounded by dimension and by the square of the L2 norm', () => {
    expect(integerSensitivity(3, 100)).toStrictEqual({ l1: 9, l2: 3 });
    expect(integerSensitivity(300, 100)).toStrictEqual({ l1: 3000, l2: 300 });
  });

  it('sampled: the general bound lies between what sampling exactly gives and no sampling', () => {
    for (const sampling of [0.3, 0.01])
      for (const order of [2, 4, 16]) {
        const general = poissonSampledRdp((at) => at / (2 * 4), sampling, order);
        expect(general).toBeGreaterThanOrEqual(sampledGaussianRdp({ sampling, noise: 2 }, order));
        expect(general).toBeLessThanOrEqual(order / 8);
      }
    expect(poissonSampledRdp((at) => at, 1, 4)).toBe(4);
    expect(poissonSampledRdp((at) => at, 0, 4)).toBe(0);
    expect(poissonSampledRdp((at) => at, 0.1, 2.5)).toBe(Infinity);
  });
});

describe('the conversion', () => {
  it('is never below the exact epsilon of the Gaussian mechanism', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.05, max: 500, noNaN: true }),
        fc.double({ min: -14, max: -0.3, noNaN: true }),
        (sigma, log10) => {
          const delta = 10 ** log10;
          const { epsilon } = epsilonOf((order) => order / (2 * sigma * sigma), delta);
          const exact = gaussianEpsilon(sigma, delta);
          expect(epsilon).toBeGreaterThanOrEqual(exact * (1 - 1e-9));
          expect(gaussianDelta(sigma, exact)).toBeLessThanOrEqual(delta);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('goes back to delta', () => {
    const curve = (order: number): number => order / 8;
    const delta = deltaOf(curve, 1.5);
    expect(delta).toBeGreaterThan(gaussianDelta(2, 1.5));
    expect(epsilonOf(curve, delta).epsilon).toBeLessThanOrEqual(1.5 + 1e-6);
  });

  it('of zCDP: rho of epsilon and back, and rhos add up', () => {
    const rho = rhoOfEpsilon(1, 1e-6);
    expect(epsilonOfRho(rho, 1e-6)).toBeLessThanOrEqual(1);
    expect(epsilonOfRho(rho, 1e-6)).toBeGreaterThan(0.999);
    expect(epsilonOfRho(gaussianRho(1, 2), 1e-5)).toBeGreaterThan(gaussianEpsilon(2, 1e-5));
    expect(epsilonOfRho(2 * rho, 1e-6)).toBeGreaterThan(1);
    expect(epsilonOfRho(0, 1e-6)).toBe(0);
  });
});

describe('calibration', () => {
  it('returns noise that stays within epsilon, and hardly more than needed', () => {
    for (const epsilon of [0.1, 1, 10]) {
      const run = { sampling: 0.02, steps: 500, delta: 1e-5 };
      const noise = noiseFor(run, epsilon);
      expect(rdpOfRun({ ...run, noise }).epsilon).toBeLessThanOrEqual(epsilon);
      expect(rdpOfRun({ ...run, noise: noise * 0.999 }).epsilon).toBeGreaterThan(epsilon);
    }
  });

  it('needs less noise by the privacy loss distribution, and stays within epsilon by it', () => {
    const run = { sampling: 0.05, steps: 20, delta: 1e-5 };
    const noise = noiseFor(run, 2, 'pld');
    expect(noise).toBeLessThan(noiseFor(run, 2));
    expect(accountRun({ ...run, noise }).pld.epsilon).toBeLessThanOrEqual(2);
  });

  it('says how many steps a budget allows', () => {
    const run = { sampling: 0.02, noise: 1.5, delta: 1e-5 };
    const steps = stepsFor(run, 2);
    expect(rdpOfRun({ ...run, steps }).epsilon).toBeLessThanOrEqual(2);
    expect(rdpOfRun({ ...run, steps: steps + 1 }).epsilon).toBeGreaterThan(2);
    expect(stepsFor({ ...run, sampling: 1, noise: 0.1 }, 0.5)).toBe(0);
  });

  it('refuses what is no question', () => {
    const good = { sampling: 0.1, noise: 1, steps: 10, delta: 1e-5 };
    for (const bad of [
      { sampling: -0.1 },
      { sampling: 1.1 },
      { sampling: NaN },
      { noise: 0 },
      { noise: Infinity },
      { steps: 0 },
      { steps: 1.5 },
      { delta: 0 },
      { delta: 1 },
    ])
      expect(() => accountRun({ ...good, ...bad })).toThrow(PrivacyError);
    expect(() => noiseFor(good, 0)).toThrow(/epsilon must be/);
    expect(() => noiseFor({ ...good, delta: 1e-300, steps: 1e9, sampling: 1 }, 1e-12)).toThrow(/no noise up to/);
  });
});

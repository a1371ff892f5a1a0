// The question that people ask: what does a run of DP-SGD cost?

import { demandParameter } from './errors.js';
import { PRIVACY_LIMITS } from './limits.js';
import { pldEpsilon } from './pld/epsilon.js';
import { epsilonOf, type RdpBound } from './rdp/convert.js';
import { sampledGaussianRdp, type SampledGaussian } from './rdp/sampled-gaussian.js';

export interface Run extends SampledGaussian {
  /** T, steps in which a record may take part. */
  readonly steps: number;
  /** Probability with which the promise of epsilon may fail. */
  readonly delta: number;
}

export interface Account {
  /** By Rényi divergences. */
  readonly rdp: RdpBound;
  /** By the privacy loss distribution: at most the other. */
  readonly pld: { readonly epsilon: number };
}

/**
 * Epsilon of a run, twice, each an upper bound: neighbours differ by adding or removing one record.
 * Throws PrivacyError `privacy/bad-parameter`.
 */
export function accountRun(run: Run): Account {
  const rdp = rdpOfRun(run);
  return { rdp, pld: { epsilon: pldEpsilon(run, run.steps, run.delta, rdp) } };
}

/** The Rényi half alone, a hundred times as fast. Throws PrivacyError `privacy/bad-parameter`. */
export function rdpOfRun(run: Run): RdpBound {
  checkRun(run);
  return epsilonOf((order) => run.steps * sampledGaussianRdp(run, order), run.delta);
}

/** Throws PrivacyError `privacy/bad-parameter` on the first field outside its range. */
export function checkRun({ sampling, noise, steps, delta }: Run): void {
  demandParameter(sampling >= 0 && sampling <= 1, 'the sampling rate', 'a probability from 0 to 1', sampling);
  demandParameter(noise > 0 && noise < Infinity, 'the noise', 'a finite number above 0, in units of the clip', noise);
  demandParameter(
    Number.isInteger(steps) && steps >= 1 && steps <= PRIVACY_LIMITS.stepsMax,
    'the number of steps',
    `a whole number from 1 to ${String(PRIVACY_LIMITS.stepsMax)}`,
    steps,
  );
  demandParameter(delta > 0 && delta < 1, 'delta', 'a probability above 0 and below 1', delta);
}

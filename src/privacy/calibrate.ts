// The other direction: how much noise a budget buys. Bisection on an accountant; what is returned has been seen to stay within.

import { checkRun, rdpOfRun, type Account, accountRun, type Run } from './account.js';
import { demandParameter, PrivacyError } from './errors.js';
import { PRIVACY_LIMITS } from './limits.js';
import { bisect } from './numeric/bisect.js';

export type Accountant = 'rdp' | 'pld';

/** The smallest noise multiplier, to a part in 10^6, with which the run stays within epsilon. Throws `privacy/out-of-reach`. */
export function noiseFor(run: Omit<Run, 'noise'>, epsilon: number, accountant: Accountant = 'rdp'): number {
  demandParameter(epsilon > 0 && epsilon < Infinity, 'epsilon', 'a finite number above 0', epsilon);
  checkRun({ ...run, noise: 1 });
  const { noiseMin, noiseMax } = PRIVACY_LIMITS;
  const within = (noise: number): boolean => rdpOfRun({ ...run, noise }).epsilon <= epsilon;
  if (!within(noiseMax))
    throw new PrivacyError(
      'privacy/out-of-reach',
      `no noise up to ${String(noiseMax)} reaches epsilon ${String(epsilon)}.`,
    );
  let high = 1;
  while (!within(high)) high *= 4;
  const rough = bisect(noiseMin, high, within, 1e-6);
  if (accountant === 'rdp') return rough;
  // The privacy loss distribution needs less noise, seldom below half of it.
  const exact = (noise: number): boolean => spent({ ...run, noise }, 'pld') <= epsilon;
  // Each answer takes a transform, so the search is narrow: it ends at a thousandth of the noise.
  let low = rough * 0.9;
  while (low > noiseMin && exact(low)) low *= 0.7;
  return bisect(low, rough, exact, 1e-3);
}

/** Epsilon of a run by one accountant. */
export function spent(run: Run, accountant: Accountant): number {
  if (accountant === 'rdp') return rdpOfRun(run).epsilon;
  const account: Account = accountRun(run);
  return account.pld.epsilon;
}

/** The largest number of steps that stays within epsilon; 0 when one is already too many. */
export function stepsFor(run: Omit<Run, 'steps'>, epsilon: number): number {
  const within = (steps: number): boolean => rdpOfRun({ ...run, steps }).epsilon <= epsilon;
  if (!within(1)) return 0;
  let low = 1;
  let high = 2;
  while (high <= PRIVACY_LIMITS.stepsMax && within(high)) {
    low = high;
    high *= 2;
  }
  high = Math.min(high, PRIVACY_LIMITS.stepsMax + 1);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (within(middle)) low = middle;
    else high = middle;
  }
  return low;
}

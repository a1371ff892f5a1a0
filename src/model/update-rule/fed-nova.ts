// FedNova (Wang et al. 2020): silos that took more steps do not pull further. Each sends d_i = delta_i / a_i, a_i = |a_i|_1 of its local
// steps (optimiser/reach.ts); the common update is (mean of a_i) * (mean of d_i), both weighted means. Pinned arithmetic (rule.ts).

import { l2Norm } from '../../vector/index.js';

/**
 * `meanNormalised`: mean of d_i. `meanReach`: mean of a_i. `most`: silos of very unequal work could exceed the bound that holds for each
 * of them, so the product is cut to this norm.
 */
export function rescale(meanNormalised: Float64Array, meanReach: number, most: number): Float64Array {
  const update = meanNormalised.map((value) => value * meanReach);
  const norm = l2Norm(update);
  return norm > most ? update.map((value) => value * (most / norm)) : update;
}

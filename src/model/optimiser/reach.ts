// How far a local training goes for a gradient that stays the same, found by walking: K * rate for K plain steps, more with momentum,
// less with a pull back to the start. FedNova (Wang et al. 2020) divides by it, with rate 1 its |a_i|_1, and SCAFFOLD reads the mean
// gradient from it. For descent only: a step of Adam does not grow with the gradient.

import type { SgdSettings } from './sgd.js';

/** Distance after `steps` steps against a gradient of 1, in float64. `proximal`: FedProx's mu, 0 for none. */
export function reachOf(
  { momentum, nesterov = false }: SgdSettings,
  learningRate: number,
  steps: number,
  proximal: number,
): number {
  let distance = 0;
  let velocity = 0;
  for (let step = 0; step < steps; step++) {
    const gradient = 1 - proximal * distance;
    velocity = momentum * velocity + gradient;
    distance += learningRate * (nesterov ? gradient + momentum * velocity : velocity);
  }
  return distance;
}

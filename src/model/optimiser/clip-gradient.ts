// Gradient clipping (Pascanu et al. 2013): g <- g * min(1, c / |g|), |g| the L2 norm over all parameters.

import { l2Norm } from '../../vector/index.js';

/** In place. `most`: c, above 0. */
export function clipGradientInto(gradient: Float32Array, most: number): void {
  const norm = l2Norm(gradient);
  if (!(norm > most)) return;
  const factor = most / norm;
  // i is below the length.
  for (let i = 0; i < gradient.length; i++) gradient[i] = (gradient[i] as number) * factor;
}

// Adam (Kingma and Ba 2015, algorithm 1): m and v are running means of g and g^2, freed of their bias towards zero.

import type { Optimiser } from './optimiser.js';

export interface AdamSettings {
  readonly kind: 'adam';
  /** Decay of the running mean of gradients, usually 0.9. */
  readonly beta1: number;
  /** Decay of the running mean of squared gradients, usually 0.999. */
  readonly beta2: number;
  /** Added to the root in the denominator, usually 1e-8. */
  readonly epsilon: number;
}

export function adam(length: number, { beta1, beta2, epsilon }: AdamSettings): Optimiser {
  const mean = new Float32Array(length);
  const square = new Float32Array(length);
  // beta^t by repeated multiplication: the same on every machine, which Math.pow does not promise.
  let decay1 = 1;
  let decay2 = 1;
  return {
    step(parameters, gradient, learningRate) {
      decay1 *= beta1;
      decay2 *= beta2;
      const rate = learningRate / (1 - decay1);
      const correction = 1 / (1 - decay2);
      // The vectors have the length that the optimiser was made for, so every read below is defined.
      for (let i = 0; i < length; i++) {
        const g = gradient[i] as number;
        const m = beta1 * (mean[i] as number) + (1 - beta1) * g;
        const v = beta2 * (square[i] as number) + (1 - beta2) * g * g;
        mean[i] = m;
        square[i] = v;
        parameters[i] = (parameters[i] as number) - (rate * m) / (Math.sqrt(v * correction) + epsilon);
      }
    },
  };
}

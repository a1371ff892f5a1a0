// Adam (Kingma and Ba 2015, algorithm 1): m and v are running means of g and g^2, freed of their bias towards zero. Weight decay is
// added to the gradient, as in PyTorch; `adamw` is the variant that does not mix the two.

import type { Optimiser } from './optimiser.js';

export interface AdamSettings {
  readonly kind: 'adam';
  /** Decay of the running mean of gradients, usually 0.9. */
  readonly beta1: number;
  /** Decay of the running mean of squared gradients, usually 0.999. */
  readonly beta2: number;
  /** Added to the root in the denominator, usually 1e-8. */
  readonly epsilon: number;
  /** L2 penalty, from 0; 0 unless given. */
  readonly weightDecay?: number;
}

export function adam(length: number, { beta1, beta2, epsilon, weightDecay = 0 }: AdamSettings): Optimiser {
  return adaptive(length, { beta1, beta2, epsilon, coupled: weightDecay, decoupled: 0 });
}

interface AdaptiveSettings {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Weight decay that joins the gradient. */
  readonly coupled: number;
  /** Weight decay that shrinks the parameter by itself. */
  readonly decoupled: number;
}

/** The loop of Adam and AdamW. */
export function adaptive(length: number, settings: AdaptiveSettings): Optimiser {
  const { beta1, beta2, epsilon, coupled, decoupled } = settings;
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
      const kept = 1 - learningRate * decoupled;
      // The vectors have the length that the optimiser was made for, so every read below is defined.
      for (let i = 0; i < length; i++) {
        const p = parameters[i] as number;
        const g = (gradient[i] as number) + coupled * p;
        const m = beta1 * (mean[i] as number) + (1 - beta1) * g;
        const v = beta2 * (square[i] as number) + (1 - beta2) * g * g;
        mean[i] = m;
        square[i] = v;
        parameters[i] = kept * p - (rate * m) / (Math.sqrt(v * correction) + epsilon);
      }
    },
  };
}

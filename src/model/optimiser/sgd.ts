// Stochastic gradient descent with momentum, as in PyTorch: v <- momentum * v + g, p <- p - rate * v.

import type { Optimiser } from './optimiser.js';

export interface SgdSettings {
  readonly kind: 'sgd';
  /** 0 (plain descent) up to, not including, 1. */
  readonly momentum: number;
}

export function sgd(length: number, momentum: number): Optimiser {
  const velocity = new Float32Array(momentum === 0 ? 0 : length);
  return {
    step(parameters, gradient, learningRate) {
      // The vectors have the length that the optimiser was made for, so every read below is defined.
      for (let i = 0; i < length; i++) {
        let direction = gradient[i] as number;
        if (momentum !== 0) {
          direction += momentum * (velocity[i] as number);
          velocity[i] = direction;
        }
        parameters[i] = (parameters[i] as number) - learningRate * direction;
      }
    },
  };
}

// Stochastic gradient descent as in PyTorch: g <- g + decay * p; v <- momentum * v + g; p <- p - rate * v. With Nesterov's momentum
// (Sutskever et al. 2013) the step looks ahead: p <- p - rate * (g + momentum * v).

import type { Optimiser } from './optimiser.js';

export interface SgdSettings {
  readonly kind: 'sgd';
  /** 0 (plain descent) up to, not including, 1. */
  readonly momentum: number;
  /** False unless given; then momentum must be above 0. */
  readonly nesterov?: boolean;
  /** L2 penalty, from 0; 0 unless given. */
  readonly weightDecay?: number;
}

export function sgd(length: number, { momentum, nesterov = false, weightDecay = 0 }: SgdSettings): Optimiser {
  const velocity = new Float32Array(momentum === 0 ? 0 : length);
  return {
    step(parameters, gradient, learningRate) {
      // The vectors have the length that the optimiser was made for, so every read below is defined.
      for (let i = 0; i < length; i++) {
        const p = parameters[i] as number;
        const g = (gradient[i] as number) + weightDecay * p;
        let direction = g;
        if (momentum !== 0) {
          const v = momentum * (velocity[i] as number) + g;
          velocity[i] = v;
          direction = nesterov ? g + momentum * v : v;
        }
        parameters[i] = p - learningRate * direction;
      }
    },
  };
}

// AdamW (Loshchilov and Hutter 2019): Adam whose weight decay shrinks the parameter by itself, p <- (1 - rate * decay) * p, instead of
// joining a gradient that is then divided by its own size.

import { adaptive } from './adam.js';
import type { Optimiser } from './optimiser.js';

export interface AdamWSettings {
  readonly kind: 'adamw';
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** From 0, usually 0.01. */
  readonly weightDecay: number;
}

export function adamW(length: number, { beta1, beta2, epsilon, weightDecay }: AdamWSettings): Optimiser {
  return adaptive(length, { beta1, beta2, epsilon, coupled: 0, decoupled: weightDecay });
}

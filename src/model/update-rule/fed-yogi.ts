// FedYogi (Reddi et al. 2021): v <- v - (1 - beta2) * delta^2 * sign(v - delta^2), which follows a falling square more slowly than a mean.

import { adaptiveStep, type AdaptiveSettings } from './adaptive.js';
import type { UpdateStep } from './rule.js';

export interface FedYogiSettings extends AdaptiveSettings {
  readonly kind: 'fed-yogi';
  /** From 0 to below 1, usually 0.99. `beta1` is usually 0.9. */
  readonly beta2: number;
}

export function fedYogi(settings: FedYogiSettings): UpdateStep {
  const { beta2 } = settings;
  return adaptiveStep(settings, (v, square) => v - (1 - beta2) * square * Math.sign(v - square));
}

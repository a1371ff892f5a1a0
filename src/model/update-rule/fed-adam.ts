// FedAdam (Reddi et al. 2021): v <- beta2 * v + (1 - beta2) * delta^2, a running mean.

import { adaptiveStep, type AdaptiveSettings } from './adaptive.js';
import type { UpdateStep } from './rule.js';

export interface FedAdamSettings extends AdaptiveSettings {
  readonly kind: 'fed-adam';
  /** From 0 to below 1, usually 0.99. `beta1` is usually 0.9. */
  readonly beta2: number;
}

export function fedAdam(settings: FedAdamSettings): UpdateStep {
  const { beta2 } = settings;
  return adaptiveStep(settings, (v, square) => beta2 * v + (1 - beta2) * square);
}

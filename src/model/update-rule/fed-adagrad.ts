// FedAdagrad (Reddi et al. 2021): v <- v + delta^2, a sum that only grows. `beta1` is usually 0.

import { adaptiveStep, type AdaptiveSettings } from './adaptive.js';
import type { UpdateStep } from './rule.js';

export interface FedAdagradSettings extends AdaptiveSettings {
  readonly kind: 'fed-adagrad';
}

export function fedAdagrad(settings: FedAdagradSettings): UpdateStep {
  return adaptiveStep(settings, (v, square) => v + square);
}

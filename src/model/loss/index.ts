// The losses a job file may name.

import { binaryCrossEntropy, binaryCrossEntropyWith } from './binary-cross-entropy.js';
import { cox } from './cox.js';
import { focal, GAMMA_MAX } from './focal.js';
import { huber } from './huber.js';
import type { Loss } from './loss.js';
import { softmaxCrossEntropy, softmaxCrossEntropyWith } from './softmax-cross-entropy.js';
import { squaredError } from './squared-error.js';

export type { Loss } from './loss.js';
export { GAMMA_MAX as FOCAL_GAMMA_MAX };

/** Each loss with the settings that it has unless others are given. */
export const LOSSES = {
  'binary-cross-entropy': binaryCrossEntropy,
  'softmax-cross-entropy': softmaxCrossEntropy,
  'squared-error': squaredError,
  huber: huber(1),
  focal: focal(2, []),
  cox,
} as const satisfies Record<string, Loss>;

export type LossKind = keyof typeof LOSSES;

export type LossSettings =
  | {
      readonly kind: 'binary-cross-entropy' | 'softmax-cross-entropy';
      /** One for each class, of the loss of its records; none for 1 each. */
      readonly classWeights: readonly number[];
    }
  | { readonly kind: 'squared-error' }
  | {
      readonly kind: 'huber';
      /** Above 0, in the unit of the target. */
      readonly delta: number;
    }
  | { readonly kind: 'focal'; readonly gamma: number; readonly classWeights: readonly number[] }
  | { readonly kind: 'cox' };

/** Throws `model/bad-loss`. */
export function createLoss(settings: LossSettings): Loss {
  switch (settings.kind) {
    case 'binary-cross-entropy':
      return binaryCrossEntropyWith(settings.classWeights);
    case 'softmax-cross-entropy':
      return softmaxCrossEntropyWith(settings.classWeights);
    case 'squared-error':
      return squaredError;
    case 'huber':
      return huber(settings.delta);
    case 'focal':
      return focal(settings.gamma, settings.classWeights);
    case 'cox':
      return cox;
  }
}

/** Where a kind is enough: its settings unless others are given. */
export function defaultLoss(kind: LossKind): LossSettings {
  switch (kind) {
    case 'binary-cross-entropy':
    case 'softmax-cross-entropy':
      return { kind, classWeights: [] };
    case 'huber':
      return { kind, delta: 1 };
    case 'focal':
      return { kind, gamma: 2, classWeights: [] };
    case 'squared-error':
    case 'cox':
      return { kind };
  }
}

// The losses a job file may name.

import type { Loss } from './loss.js';
import { binaryCrossEntropy } from './binary-cross-entropy.js';
import { softmaxCrossEntropy } from './softmax-cross-entropy.js';
import { squaredError } from './squared-error.js';

export type { Loss } from './loss.js';
export { binaryCrossEntropy, softmaxCrossEntropy, squaredError };

export const LOSSES = {
  'binary-cross-entropy': binaryCrossEntropy,
  'softmax-cross-entropy': softmaxCrossEntropy,
  'squared-error': squaredError,
} as const satisfies Record<string, Loss>;

export type LossKind = keyof typeof LOSSES;

// Accuracy from two sums.

import { ModelError } from '../errors.js';

/** correct / count, from 0 to 1; undefined without records. Throws `model/bad-scores`. */
export function accuracy(correct: number, count: number): number | undefined {
  if (!(correct >= 0 && correct <= count && count < Infinity))
    throw new ModelError('model/bad-scores', `${String(correct)} correct of ${String(count)}`);
  return count === 0 ? undefined : correct / count;
}

// The loss of a recipe: its message, its settings, and what they may be.

import { FOCAL_GAMMA_MAX, type LossKind, type LossSettings } from '../model/index.js';
import { Loss, type TrainingRecipe } from '../wire/index.js';
import { JOB_LIMITS } from './limits.js';
import { isPositive, type Problems } from './problems.js';

const NAMES: ReadonlyMap<Loss, LossKind> = new Map([
  [Loss.LOSS_BINARY_CROSS_ENTROPY, 'binary-cross-entropy'],
  [Loss.LOSS_SOFTMAX_CROSS_ENTROPY, 'softmax-cross-entropy'],
  [Loss.LOSS_SQUARED_ERROR, 'squared-error'],
  [Loss.LOSS_HUBER, 'huber'],
  [Loss.LOSS_FOCAL, 'focal'],
  [Loss.LOSS_COX, 'cox'],
]);

const NUMBERS = {
  'binary-cross-entropy': Loss.LOSS_BINARY_CROSS_ENTROPY,
  'softmax-cross-entropy': Loss.LOSS_SOFTMAX_CROSS_ENTROPY,
  'squared-error': Loss.LOSS_SQUARED_ERROR,
  huber: Loss.LOSS_HUBER,
  focal: Loss.LOSS_FOCAL,
  cox: Loss.LOSS_COX,
} as const satisfies Record<LossKind, Loss>;

type LossFields = Pick<TrainingRecipe, 'loss' | 'classWeights' | 'huberDelta' | 'focalGamma'>;

export function readLoss(message: LossFields, problems: Problems): LossSettings | undefined {
  const kind = NAMES.get(message.loss);
  switch (kind) {
    case undefined:
      problems.add('loss', 'a loss that this version knows');
      return undefined;
    case 'binary-cross-entropy':
    case 'softmax-cross-entropy':
      return { kind, classWeights: message.classWeights };
    case 'huber':
      return { kind, delta: message.huberDelta };
    case 'focal':
      return { kind, gamma: message.focalGamma, classWeights: message.classWeights };
    case 'squared-error':
    case 'cox':
      return { kind };
  }
}

export function writeLoss(loss: LossSettings): LossFields {
  return {
    loss: NUMBERS[loss.kind],
    classWeights: 'classWeights' in loss ? [...loss.classWeights] : [],
    huberDelta: loss.kind === 'huber' ? loss.delta : 0,
    focalGamma: loss.kind === 'focal' ? loss.gamma : 0,
  };
}

export function checkLoss(loss: LossSettings, batchSize: number, problems: Problems): void {
  if ('classWeights' in loss) {
    const { classWeights, kind } = loss;
    problems.require(classWeights.every(isPositive), 'class_weights', 'finite numbers above 0');
    if (kind !== 'softmax-cross-entropy')
      problems.require(classWeights.length === 0 || classWeights.length === 2, 'class_weights', 'two numbers, or none');
    const { classesMax } = JOB_LIMITS;
    problems.require(classWeights.length <= classesMax, 'class_weights', `at most ${String(classesMax)} numbers`);
  }
  if (loss.kind === 'huber') problems.require(isPositive(loss.delta), 'huber_delta', 'a finite number above 0');
  if (loss.kind === 'focal')
    problems.require(
      loss.gamma >= 0 && loss.gamma <= FOCAL_GAMMA_MAX,
      'focal_gamma',
      `a number from 0 to ${String(FOCAL_GAMMA_MAX)}`,
    );
  if (loss.kind === 'cox') {
    const { coxBatchSizeMax } = JOB_LIMITS;
    problems.require(
      batchSize >= 2 && batchSize <= coxBatchSizeMax,
      'batch_size',
      `2 to ${String(coxBatchSizeMax)} records with the loss cox, whose risk sets are those of a batch`,
    );
  }
}

/** The kind of target that each loss learns. */
export const TARGET_OF = {
  'binary-cross-entropy': 'binary',
  'softmax-cross-entropy': 'classes',
  'squared-error': 'real',
  huber: 'real',
  focal: 'binary',
  cox: 'survival',
} as const satisfies Record<LossKind, string>;

/** Losses whose predictions are right or wrong. */
export function isClassification({ kind }: LossSettings): boolean {
  return TARGET_OF[kind] === 'binary' || TARGET_OF[kind] === 'classes';
}

/** Losses whose scores are probabilities of one outcome, and so have histograms. */
export function isBinary({ kind }: LossSettings): boolean {
  return TARGET_OF[kind] === 'binary';
}

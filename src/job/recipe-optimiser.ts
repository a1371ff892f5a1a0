// The optimiser of a recipe: its message, its settings, and what they may be.

import type { Optimiser as OptimiserMessage } from '../wire/index.js';
import { isPositive, type Problems } from './problems.js';
import type { OptimiserSetting } from './recipe-terms.js';

export function readOptimiser(message: OptimiserMessage | undefined, problems: Problems): OptimiserSetting | undefined {
  const kind = message?.kind;
  if (kind === undefined) {
    problems.add('optimiser', 'sgd, adam or adamw');
    return undefined;
  }
  // The messages have the names and fields of the settings.
  return { kind: kind.$case, ...kind.value } as OptimiserSetting;
}

export function checkOptimiser(optimiser: OptimiserSetting, problems: Problems): void {
  const path = `optimiser.${optimiser.kind}`;
  problems.require(isPositive(optimiser.learningRate), `${path}.learning_rate`, 'a finite number above 0');
  const belowOne = (value: number, field: string): void => {
    problems.require(value >= 0 && value < 1, `${path}.${field}`, 'a number from 0 to below 1');
  };
  const decay = optimiser.weightDecay ?? 0;
  problems.require(decay >= 0 && decay < Infinity, `${path}.weight_decay`, 'a finite number from 0');
  switch (optimiser.kind) {
    case 'sgd':
      belowOne(optimiser.momentum, 'momentum');
      problems.require(
        optimiser.nesterov !== true || optimiser.momentum > 0,
        `${path}.nesterov`,
        'false, or a momentum above 0',
      );
      return;
    case 'adam':
    case 'adamw':
      belowOne(optimiser.beta1, 'beta1');
      belowOne(optimiser.beta2, 'beta2');
      problems.require(
        optimiser.epsilon > 0 && optimiser.epsilon <= 1,
        `${path}.epsilon`,
        'a number above 0 and at most 1',
      );
  }
}

export function writeOptimiser(optimiser: OptimiserSetting): OptimiserMessage['kind'] {
  const { learningRate, weightDecay = 0 } = optimiser;
  switch (optimiser.kind) {
    case 'sgd': {
      const { momentum, nesterov = false } = optimiser;
      return { $case: 'sgd', value: { learningRate, momentum, nesterov, weightDecay } };
    }
    case 'adam':
    case 'adamw': {
      const { kind, beta1, beta2, epsilon } = optimiser;
      return { $case: kind, value: { learningRate, beta1, beta2, epsilon, weightDecay } };
    }
  }
}

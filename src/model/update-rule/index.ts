// The update rules a job file may name, and the one function that applies them.

import { ModelError } from '../errors.js';
import { fedAdagrad, type FedAdagradSettings } from './fed-adagrad.js';
import { fedAdam, type FedAdamSettings } from './fed-adam.js';
import { fedAvg, type FedAvgSettings } from './fed-avg.js';
import { fedAvgM, type FedAvgMSettings } from './fed-avg-m.js';
import { fedYogi, type FedYogiSettings } from './fed-yogi.js';
import type { Updated, UpdateStep } from './rule.js';

export type { FedAdagradSettings, FedAdamSettings, FedAvgMSettings, FedAvgSettings, FedYogiSettings, Updated };

export type UpdateRule = FedAvgSettings | FedAvgMSettings | FedAdamSettings | FedYogiSettings | FedAdagradSettings;

/**
 * The next model and the rule's next state. `state` is empty before the first round. `meanDelta` is the mean over silos of
 * (local - global), float64, as decoded from the verified sum. Throws `model/bad-update` when lengths, settings or values do not fit.
 * Equal arguments give equal bytes on every machine.
 */
export function applyUpdate(
  rule: UpdateRule,
  parameters: Float32Array,
  state: Uint8Array,
  meanDelta: Float64Array,
): Updated {
  if (meanDelta.length !== parameters.length)
    throw new ModelError(
      'model/bad-update',
      `an update of length ${String(meanDelta.length)} for ${String(parameters.length)} parameters`,
    );
  const updated = stepOf(rule)(parameters, state, meanDelta);
  // A loop: a call for each of some million parameters takes as long as their update.
  for (let i = 0; i < updated.parameters.length; i++)
    if (!Number.isFinite(updated.parameters[i]))
      throw new ModelError('model/bad-update', `the updated parameter ${String(i)} is not finite`);
  return updated;
}

function stepOf(rule: UpdateRule): UpdateStep {
  assertSetting('learningRate', rule.learningRate, rule.learningRate > 0 && Number.isFinite(rule.learningRate));
  switch (rule.kind) {
    case 'fed-avg':
      return fedAvg(rule);
    case 'fed-avg-m':
      assertFraction('momentum', rule.momentum);
      return fedAvgM(rule);
    case 'fed-adam':
      assertAdaptive(rule);
      assertFraction('beta2', rule.beta2);
      return fedAdam(rule);
    case 'fed-yogi':
      assertAdaptive(rule);
      assertFraction('beta2', rule.beta2);
      return fedYogi(rule);
    case 'fed-adagrad':
      assertAdaptive(rule);
      return fedAdagrad(rule);
  }
}

function assertAdaptive({ beta1, tau }: { readonly beta1: number; readonly tau: number }): void {
  assertFraction('beta1', beta1);
  assertSetting('tau', tau, tau > 0 && Number.isFinite(tau));
}

function assertFraction(name: string, value: number): void {
  assertSetting(name, value, value >= 0 && value < 1);
}

function assertSetting(name: string, value: number, fits: boolean): void {
  if (!fits)
    throw new ModelError('model/bad-update', `${name} ${String(value)} of the update rule is outside its range`);
}

// The update rules a job file may name, and the one function that applies them.

import { ModelError } from '../errors.js';
import { fedAdam, type FedAdamSettings } from './fed-adam.js';
import { fedAvg, type FedAvgSettings } from './fed-avg.js';
import { fedAvgM, type FedAvgMSettings } from './fed-avg-m.js';
import type { Updated, UpdateStep } from './rule.js';

export type { FedAdamSettings, FedAvgMSettings, FedAvgSettings, Updated };

export type UpdateRule = FedAvgSettings | FedAvgMSettings | FedAdamSettings;

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
  const at = updated.parameters.findIndex((value) => !Number.isFinite(value));
  if (at >= 0) throw new ModelError('model/bad-update', `the updated parameter ${String(at)} is not finite`);
  return updated;
}

function stepOf(rule: UpdateRule): UpdateStep {
  assertSetting('learningRate', rule.learningRate, rule.learningRate > 0 && Number.isFinite(rule.learningRate));
  switch (rule.kind) {
    case 'fed-avg':
      return fedAvg(rule);
    case 'fed-avg-m':
      assertSetting('momentum', rule.momentum, rule.momentum >= 0 && rule.momentum < 1);
      return fedAvgM(rule);
    case 'fed-adam':
      assertSetting('beta1', rule.beta1, rule.beta1 >= 0 && rule.beta1 < 1);
      assertSetting('beta2', rule.beta2, rule.beta2 >= 0 && rule.beta2 < 1);
      assertSetting('tau', rule.tau, rule.tau > 0 && Number.isFinite(rule.tau));
      return fedAdam(rule);
  }
}

function assertSetting(name: string, value: number, fits: boolean): void {
  if (!fits)
    throw new ModelError('model/bad-update', `${name} ${String(value)} of the update rule is outside its range`);
}

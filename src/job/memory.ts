// The update state of a model: the common control variate of SCAFFOLD and the memory of an early-stopping rule, where the job has them, and
// behind them the update rule's own memory. All are empty before the first round.

import { concat } from '../base/index.js';
import { advanceControl, readControl } from '../model/index.js';
import { STOPPING_BYTES } from './early-stopping.js';
import type { Job } from './job.js';
import type { ModelState } from './model-state.js';

type TrainJob = Extract<Job, { kind: 'train' }>;

/** Bytes of the control variate: float64 for each value that a gradient moves. `weights`: how many those are. */
function controlBytes({ recipe }: TrainJob, { updateState }: ModelState, weights: number): number {
  return recipe.method.kind === 'scaffold' && updateState.length > 0 ? 8 * weights : 0;
}

function stoppingBytes({ recipe }: TrainJob, { updateState }: ModelState): number {
  return recipe.earlyStopping !== undefined && updateState.length > 0 ? STOPPING_BYTES : 0;
}

/** What the update rule remembers. */
export function ruleMemory(job: TrainJob, state: ModelState, weights: number): Uint8Array {
  return state.updateState.subarray(controlBytes(job, state, weights) + stoppingBytes(job, state));
}

/** What the early-stopping rule remembers; empty without one and before the first round. */
export function stoppingMemory(job: TrainJob, state: ModelState, weights: number): Uint8Array {
  const from = controlBytes(job, state, weights);
  return state.updateState.subarray(from, from + stoppingBytes(job, state));
}

/** c, which local training by SCAFFOLD needs; zeros before the first round. Throws ModelError `model/bad-update`. */
export function commonControl(job: TrainJob, state: ModelState, weights: number): Float64Array {
  return readControl(state.updateState.subarray(0, controlBytes(job, state, weights)), weights);
}

/**
 * The update state after a round. `meanChange`: of the control variates, undefined without SCAFFOLD. `share`: of the job's silos that
 * were in the sum. `stopping`: the next memory of an early-stopping rule.
 */
export function advanceMemory(
  job: TrainJob,
  before: ModelState,
  ruleState: Uint8Array,
  meanChange: Float64Array | undefined,
  share: number,
  stopping: Uint8Array,
): Uint8Array {
  if (meanChange === undefined) return concat(stopping, ruleState);
  const control = before.updateState.subarray(0, controlBytes(job, before, meanChange.length));
  return concat(advanceControl(control, meanChange, share), stopping, ruleState);
}

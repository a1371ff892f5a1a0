// The update state of a model: the common control variate of SCAFFOLD, where the job has one, and behind it the update rule's own memory.
// Both are empty before the first round.

import { concat } from '../base/index.js';
import { advanceControl, readControl } from '../model/index.js';
import type { Job } from './job.js';
import type { ModelState } from './model-state.js';

type TrainJob = Extract<Job, { kind: 'train' }>;

/** Bytes of the control variate: float64 for each value that a gradient moves. `weights`: how many those are. */
function controlBytes({ recipe }: TrainJob, { updateState }: ModelState, weights: number): number {
  return recipe.method.kind === 'scaffold' && updateState.length > 0 ? 8 * weights : 0;
}

/** What the update rule remembers. */
export function ruleMemory(job: TrainJob, state: ModelState, weights: number): Uint8Array {
  return state.updateState.subarray(controlBytes(job, state, weights));
}

/** c, which local training by SCAFFOLD needs; zeros before the first round. Throws ModelError `model/bad-update`. */
export function commonControl(job: TrainJob, state: ModelState, weights: number): Float64Array {
  return readControl(state.updateState.subarray(0, controlBytes(job, state, weights)), weights);
}

/**
 * The update state after a round. `meanChange`: of the control variates, undefined without SCAFFOLD. `share`: of the job's silos that
 * were in the sum.
 */
export function advanceMemory(
  job: TrainJob,
  before: ModelState,
  ruleState: Uint8Array,
  meanChange: Float64Array | undefined,
  share: number,
): Uint8Array {
  if (meanChange === undefined) return ruleState;
  const control = before.updateState.subarray(0, controlBytes(job, before, meanChange.length));
  return concat(advanceControl(control, meanChange, share), ruleState);
}

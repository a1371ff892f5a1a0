// Runs methods over seeds on one set of silos and gathers scores, curves, and what the fixed-point sum costs.

import { decodeModelState, encodeModelState, type FirstModel, type JobFileTraining } from '../../src/job/index.js';
import type { Table, Trainer } from '../../src/trainer/index.js';
import { manifestOf, NO_ROWS, scoreOn, type Score } from './experiment.js';
import { federate } from './federation.js';
import type { SumCost } from './outcome.js';
import { worst, type SumError } from './sum-error.js';

export interface Ground {
  readonly name: string;
  readonly model: FirstModel;
  readonly trainer: Trainer;
  readonly silos: readonly { readonly id: string; readonly train: Table }[];
  readonly test: Table;
  readonly rounds: number;
  /** Scores are taken every so many rounds, and after the last. */
  readonly scoreEvery: number;
}

export type Training = Omit<JobFileTraining, 'weightRows' | 'loss'>;

export interface FederatedRun {
  readonly score: Score;
  /** After every `scoreEvery` rounds. */
  readonly scores: readonly Score[];
  readonly parameters: Float32Array;
  /** The worst of all rounds; undefined where sums are float64. */
  readonly sumError: SumError | undefined;
}

/** Means in float64 throughout, from a start of which one parameter is moved by `nudge`. */
export interface Control {
  readonly nudge: number;
}

export async function runFederated(
  ground: Ground,
  training: Training,
  seed: number,
  control?: Control,
): Promise<FederatedRun> {
  const { name, model, trainer, silos, test, rounds, scoreEvery } = ground;
  const manifest = manifestOf({
    job: `results-${name}`,
    model,
    columns: test.columns,
    silos: silos.map(({ id }) => id),
    largest: Math.max(...silos.map(({ train }) => train.rows)),
    smallest: Math.min(...silos.map(({ train }) => train.rows)),
    rounds,
    training,
  });
  const scores: Score[] = [];
  let parameters = new Float32Array();
  const errors: SumError[] = [];
  const holdout = NO_ROWS(test.columns);
  // The manifest sorts its silos; their order decides nothing but which seed each has.
  const federated = silos.map(({ train }) => ({ train, holdout }));
  for await (const { round, state, sumError } of federate({
    manifest,
    start: control === undefined ? model.state : nudged(model.state, control.nudge),
    silos: federated,
    trainer,
    seed,
    sum: control === undefined ? 'integer' : 'float',
  })) {
    if (sumError !== undefined) errors.push(sumError);
    parameters = new Float32Array(state.parameters);
    if (round % scoreEvery === 0 || round === rounds) scores.push(await scoreOn(trainer, parameters, test));
  }
  const score = scores.at(-1);
  if (score === undefined) throw new Error('a federation without a round has no score');
  return { score, scores, parameters, sumError: errors.length === 0 ? undefined : worst(errors) };
}

/** The same model with its last parameter moved by `nudge`, or by one unit in the last place where that is more; 0 leaves it. */
function nudged(bytes: Uint8Array, nudge: number): Uint8Array {
  if (nudge === 0) return bytes;
  const state = decodeModelState(bytes);
  const parameters = new Float32Array(state.parameters);
  const at = parameters.length - 1;
  const before = parameters[at] ?? 0;
  parameters[at] = before + nudge;
  const bits = new Int32Array(parameters.buffer);
  if (parameters[at] === before) bits[at] = (bits[at] ?? 0) + 1;
  return encodeModelState({ ...state, parameters });
}

/** Runs the two controls of a finished run: without the integers, and without them but with one parameter moved a little at the start. */
export async function controlsOf(
  ground: Ground,
  training: Training,
  seed: number,
  run: FederatedRun,
): Promise<SumCost> {
  if (run.sumError === undefined) throw new Error('the first run is the one with integer sums');
  const float = await runFederated(ground, training, seed, { nudge: 0 });
  const other = await runFederated(ground, training, seed, { nudge: run.sumError.mean });
  return costOfSum(seed, run, float, other, ground.rounds);
}

/** `nudged`: the float control once more, from a start of which one parameter is moved as far as a sum was ever off. */
function costOfSum(
  seed: number,
  integer: FederatedRun,
  float: FederatedRun,
  nudged: FederatedRun,
  rounds: number,
): SumCost {
  const apart = (other: FederatedRun): number =>
    other.parameters.reduce((most, value, i) => Math.max(most, Math.abs(value - (float.parameters[i] ?? NaN))), 0);
  if (integer.sumError === undefined) throw new Error('the first run is the one with integer sums');
  return {
    seed,
    rounds,
    each: integer.sumError,
    largestDifference: apart(integer),
    nudgedDifference: apart(nudged),
    accuracyDifference: Math.abs(integer.score.accuracy - float.score.accuracy),
    aucDifference: Math.abs(integer.score.auc - float.score.auc),
  };
}

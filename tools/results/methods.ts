// Runs methods over seeds on one set of silos and gathers scores, curves, and what the fixed-point sum costs.

import type { FirstModel, JobFileTraining } from '../../src/job/index.js';
import type { Table, Trainer } from '../../src/trainer/index.js';
import { manifestOf, NO_ROWS, scoreOn, type Score } from './experiment.js';
import { federate } from './federation.js';
import type { SumCost } from './outcome.js';

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
}

export async function runFederated(
  ground: Ground,
  training: Training,
  seed: number,
  sum: 'integer' | 'float' = 'integer',
): Promise<FederatedRun> {
  const { name, model, trainer, silos, test, rounds, scoreEvery } = ground;
  const manifest = manifestOf({
    job: `results-${name}`,
    model,
    columns: test.columns,
    silos: silos.map(({ id }) => id),
    largest: Math.max(...silos.map(({ train }) => train.rows)),
    rounds,
    training,
  });
  const scores: Score[] = [];
  let parameters = new Float32Array();
  const holdout = NO_ROWS(test.columns);
  // The manifest sorts its silos; their order decides nothing but which seed each has.
  const federated = silos.map(({ train }) => ({ train, holdout }));
  for await (const { round, state } of federate({
    manifest,
    start: model.state,
    silos: federated,
    trainer,
    seed,
    sum,
  })) {
    parameters = new Float32Array(state.parameters);
    if (round % scoreEvery === 0 || round === rounds) scores.push(await scoreOn(trainer, parameters, test));
  }
  const score = scores.at(-1);
  if (score === undefined) throw new Error('a federation without a round has no score');
  return { score, scores, parameters };
}

export function costOfSum(seed: number, integer: FederatedRun, float: FederatedRun): SumCost {
  const differences = integer.parameters.map((value, i) => Math.abs(value - (float.parameters[i] ?? Number.NaN)));
  return {
    seed,
    largestDifference: differences.reduce((a, b) => Math.max(a, b), 0),
    accuracyDifference: Math.abs(integer.score.accuracy - float.score.accuracy),
    aucDifference: Math.abs(integer.score.auc - float.score.auc),
  };
}

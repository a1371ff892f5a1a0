// Evaluation on hold-out rows: sums that can be added up over silos, over all rows and over groups of them.

import { TrainerError } from './errors.js';
import { HoldoutTally, type HoldoutSums, type Prediction } from './holdout-tally.js';
import type { EvaluationStep } from './step.js';
import { rowReader, type AnyTable } from './table.js';

/** Rows divided into groups, each of which is summed by itself. */
export interface RowGroups {
  /** Group of each row, from 0. */
  readonly ofRow: Uint16Array;
  readonly groups: number;
}

export interface EvaluationRequest {
  readonly parameters: Float32Array;
  readonly table: AnyTable;
  /** Rows per step; decides speed only. */
  readonly batchSize: number;
  /** Bins of the score histograms, 1 to 65536; with a longest time bins of time as well, and then at most 256. */
  readonly bins: number;
  /** For losses over survival times: the end of the last bin of time, above 0. */
  readonly longestTime?: number | undefined;
  readonly slices?: readonly RowGroups[];
}

export interface EvaluationResult extends HoldoutSums {
  /** For each of the slices asked for, the sums of each group. */
  readonly slices: readonly (readonly HoldoutSums[])[];
}

export async function evaluateLocally(
  step: EvaluationStep,
  prediction: Prediction,
  request: EvaluationRequest,
  aborted: () => boolean,
): Promise<EvaluationResult> {
  const { table, bins, longestTime, slices = [] } = request;
  const order = Uint32Array.from({ length: table.rows }, (_, row) => row);
  const read = rowReader(table);
  const outputs = step.scores.length / step.rowLosses.length;
  const tally = (): HoldoutTally => new HoldoutTally({ prediction, outputs, bins, longestTime });
  const whole = tally();
  const sliced = slices.map(({ ofRow, groups }) => ({ ofRow, tallies: Array.from({ length: groups }, tally) }));
  step.parameters.set(request.parameters);
  for (let from = 0; from < table.rows; from += request.batchSize) {
    if (aborted()) throw new TrainerError('trainer/aborted', 'stopped during evaluation');
    step.batch.fill(table, read, order, from);
    await step.run();
    const rows = Math.min(request.batchSize, table.rows - from);
    for (let slot = 0; slot < rows; slot++) {
      const loss = step.rowLosses[slot] ?? Number.NaN;
      const scores = step.scores.subarray(slot * outputs, (slot + 1) * outputs);
      const perRow = prediction === 'class' ? 1 : outputs;
      const targets = table.targets.subarray((from + slot) * perRow, (from + slot + 1) * perRow);
      whole.add(loss, scores, targets);
      for (const { ofRow, tallies } of sliced) tallies[ofRow[from + slot] ?? -1]?.add(loss, scores, targets);
    }
  }
  return { ...whole.finish(), slices: sliced.map(({ tallies }) => tallies.map((one) => one.finish())) };
}

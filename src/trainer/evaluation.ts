// Evaluation on hold-out rows: sums that can be added up over silos, never a score of one record.

import { scoreBin } from '../model/index.js';
import { TrainerError } from './errors.js';
import type { EvaluationStep } from './step.js';
import type { Table } from './table.js';

export interface EvaluationRequest {
  readonly parameters: Float32Array;
  readonly table: Table;
  /** Rows per step; decides speed only. */
  readonly batchSize: number;
  /** Bins of the two score histograms, 1 to 65536. */
  readonly bins: number;
}

export interface EvaluationResult {
  readonly count: number;
  /** Sum of the rows' losses, unweighted, float64. */
  readonly lossSum: number;
  /** Rows predicted right: every output on its side of one half, or the likeliest class. 0 for squared error. */
  readonly correct: number;
  /** Score counts of positive rows, lowest scores first; empty unless there is one output or two classes. */
  readonly positives: Float64Array;
  readonly negatives: Float64Array;
}

/** How scores are read: the kind of prediction that the loss trains. */
export type Prediction = 'probability' | 'class' | 'value';

export async function evaluateLocally(
  step: EvaluationStep,
  prediction: Prediction,
  request: EvaluationRequest,
  aborted: () => boolean,
): Promise<EvaluationResult> {
  const { table, bins } = request;
  const order = Uint32Array.from({ length: table.rows }, (_, row) => row);
  const outputs = step.scores.length / step.rowLosses.length;
  const binary = (prediction === 'probability' && outputs === 1) || (prediction === 'class' && outputs === 2);
  const positives = new Float64Array(binary ? bins : 0);
  const negatives = new Float64Array(binary ? bins : 0);
  step.parameters.set(request.parameters);
  let lossSum = 0;
  let correct = 0;
  for (let from = 0; from < table.rows; from += request.batchSize) {
    if (aborted()) throw new TrainerError('trainer/aborted', 'stopped during evaluation');
    step.batch.fill(table, order, from);
    await step.run();
    const rows = Math.min(request.batchSize, table.rows - from);
    for (let slot = 0; slot < rows; slot++) {
      const scores = step.scores.subarray(slot * outputs, (slot + 1) * outputs);
      lossSum += step.rowLosses[slot] ?? Number.NaN;
      const perRow = prediction === 'class' ? 1 : outputs;
      const targets = table.targets.subarray((from + slot) * perRow, (from + slot + 1) * perRow);
      if (isRight(prediction, scores, targets)) correct++;
      if (binary) addTo((targets[0] ?? 0) >= 0.5 ? positives : negatives, scores.at(-1) ?? Number.NaN);
    }
  }
  if (!Number.isFinite(lossSum)) throw notFinite();
  return { count: table.rows, lossSum, correct, positives, negatives };
}

function isRight(prediction: Prediction, scores: Float32Array, targets: Float32Array): boolean {
  switch (prediction) {
    case 'probability':
      return scores.every((score, i) => score >= 0.5 === (targets[i] ?? 0) >= 0.5);
    case 'class':
      // The first of equal scores, as argmax is defined in ONNX.
      return scores.indexOf(scores.reduce((a, b) => Math.max(a, b), -Infinity)) === targets[0];
    case 'value':
      return false;
  }
}

function addTo(histogram: Float64Array, score: number): void {
  if (!Number.isFinite(score)) throw notFinite();
  const bin = scoreBin(score, histogram.length);
  histogram[bin] = (histogram[bin] ?? 0) + 1;
}

function notFinite(): TrainerError {
  return new TrainerError('trainer/diverged', 'the model gives losses or scores that are not finite');
}

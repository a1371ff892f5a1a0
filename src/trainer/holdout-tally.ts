// Sums over records of a hold-out part: the whole of it, or one category of a slice. Never a score of one record.

import { scoreBin } from '../model/index.js';
import { TrainerError } from './errors.js';

/** How scores are read: the kind of prediction that the loss trains. `hazard`: the higher, the sooner the event. */
export type Prediction = 'probability' | 'class' | 'value' | 'hazard';

/** Sums of errors and targets, in the target's unit; of a model with several outputs the means over them. */
export interface ErrorSums {
  readonly absolute: number;
  readonly squared: number;
  readonly target: number;
  readonly targetSquares: number;
}

/** Records by bin of time and, within it, bin of score, lowest first; bins of equal width of |time| / longest and of the logistic of the hazard. */
export interface SurvivalCounts {
  readonly events: Float64Array;
  readonly censored: Float64Array;
}

export interface HoldoutSums {
  readonly count: number;
  /** Sum of the rows' losses, unweighted, float64. */
  readonly lossSum: number;
  /** Rows predicted right: every output on its side of one half, or the likeliest class. 0 for values and hazards. */
  readonly correct: number;
  /** Score counts of positive rows, lowest scores first; empty unless there is one output or two classes. */
  readonly positives: Float64Array;
  readonly negatives: Float64Array;
  /** For values. */
  readonly errors?: ErrorSums;
  /** For hazards, where the longest time is known. */
  readonly survival?: SurvivalCounts;
}

export interface TallyTerms {
  readonly prediction: Prediction;
  /** Outputs of a row. */
  readonly outputs: number;
  readonly bins: number;
  readonly longestTime: number | undefined;
}

export class HoldoutTally {
  readonly #terms: TallyTerms;
  readonly #binary: boolean;
  readonly #positives: Float64Array;
  readonly #negatives: Float64Array;
  readonly #survival: SurvivalCounts | undefined;
  readonly #errors = { absolute: 0, squared: 0, target: 0, targetSquares: 0 };
  #count = 0;
  #lossSum = 0;
  #correct = 0;

  constructor(terms: TallyTerms) {
    const { prediction, outputs, bins, longestTime } = terms;
    this.#terms = terms;
    this.#binary = (prediction === 'probability' && outputs === 1) || (prediction === 'class' && outputs === 2);
    this.#positives = new Float64Array(this.#binary ? bins : 0);
    this.#negatives = new Float64Array(this.#binary ? bins : 0);
    this.#survival =
      prediction === 'hazard' && longestTime !== undefined
        ? { events: new Float64Array(bins * bins), censored: new Float64Array(bins * bins) }
        : undefined;
  }

  /** One record: its loss, its scores and its targets, one for each output or one class. */
  add(loss: number, scores: Float32Array, targets: Float32Array): void {
    const { prediction } = this.#terms;
    this.#count++;
    this.#lossSum += loss;
    if (prediction === 'value') this.#addErrors(scores, targets);
    else if (prediction === 'hazard') this.#addTime(scores[0] ?? Number.NaN, targets[0] ?? Number.NaN);
    else if (isRight(prediction, scores, targets)) this.#correct++;
    if (this.#binary) addTo((targets[0] ?? 0) >= 0.5 ? this.#positives : this.#negatives, scores.at(-1) ?? Number.NaN);
  }

  /** Throws TrainerError `trainer/diverged`. */
  finish(): HoldoutSums {
    const numbers = [this.#lossSum, ...Object.values(this.#errors)];
    if (!numbers.every((sum) => Number.isFinite(sum))) throw notFinite();
    return {
      count: this.#count,
      lossSum: this.#lossSum,
      correct: this.#correct,
      positives: this.#positives,
      negatives: this.#negatives,
      ...(this.#terms.prediction === 'value' ? { errors: { ...this.#errors } } : {}),
      ...(this.#survival === undefined ? {} : { survival: this.#survival }),
    };
  }

  #addErrors(scores: Float32Array, targets: Float32Array): void {
    const sums = this.#errors;
    const { outputs } = this.#terms;
    scores.forEach((score, i) => {
      const target = targets[i] ?? Number.NaN;
      const error = score - target;
      sums.absolute += Math.abs(error) / outputs;
      sums.squared += error ** 2 / outputs;
      sums.target += target / outputs;
      sums.targetSquares += target ** 2 / outputs;
    });
  }

  /** A time is negative where the event was not seen. */
  #addTime(hazard: number, time: number): void {
    const { bins, longestTime = 0 } = this.#terms;
    if (this.#survival === undefined) return;
    if (Number.isNaN(hazard)) throw notFinite();
    const counts = time > 0 ? this.#survival.events : this.#survival.censored;
    const at = Math.min(bins - 1, Math.floor((Math.abs(time) / longestTime) * bins));
    const cell = at * bins + scoreBin(1 / (1 + Math.exp(-hazard)), bins);
    counts[cell] = (counts[cell] ?? 0) + 1;
  }
}

function isRight(prediction: 'probability' | 'class', scores: Float32Array, targets: Float32Array): boolean {
  switch (prediction) {
    case 'probability':
      return scores.every((score, i) => score >= 0.5 === (targets[i] ?? 0) >= 0.5);
    case 'class':
      // The first of equal scores, as argmax is defined in ONNX.
      return scores.indexOf(scores.reduce((a, b) => Math.max(a, b), -Infinity)) === targets[0];
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

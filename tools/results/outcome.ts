// What an experiment found, as `--json` writes it and docs/results.md shows it.

import type { Spread } from './experiment.js';
import type { SumError } from './sum-error.js';

export interface MethodOutcome {
  readonly method: string;
  /** How it was trained, for a reader who wants to do it again. */
  readonly settings: string;
  /** Over the seeds, on the same test records. */
  readonly accuracy: Spread;
  readonly auc: Spread;
  /** Published figure, as printed there. */
  readonly published: string | undefined;
  /** What the mean accuracy or AUC was to reach; undefined where nothing was promised. */
  readonly target: { readonly metric: 'accuracy' | 'auc'; readonly least: number; readonly met: boolean } | undefined;
}

export interface Curve {
  readonly method: string;
  /** Mean over the seeds, after every `curveEvery` rounds. */
  readonly values: readonly number[];
}

/** The same rounds with sums in fixed point and in float64, and what of their difference is the sum's doing. */
export interface SumCost {
  readonly seed: number;
  readonly rounds: number;
  /** Of each round by itself, from the same inputs: the worst of all rounds. */
  readonly each: SumError;
  /** Largest difference of a parameter of the final models. */
  readonly largestDifference: number;
  /** The same between two float64 federations that begin `each.mean` apart in one parameter: what training makes of such a change. */
  readonly nudgedDifference: number;
  /** Test records on which the two final models decide differently, at most: difference of accuracies times records. */
  readonly accuracyDifference: number;
  readonly aucDifference: number;
}

export interface Outcome {
  readonly name: 'heart' | 'heart-splits' | 'dp' | 'pneumonia';
  readonly title: string;
  /** What a reader must know before comparing. */
  readonly note: string;
  readonly seeds: readonly number[];
  readonly testRecords: number;
  readonly silos: readonly { readonly id: string; readonly records: number; readonly positives: number }[];
  readonly methods: readonly MethodOutcome[];
  readonly curves: readonly Curve[];
  readonly curveMetric: 'accuracy' | 'auc';
  /** Rounds between two values of a curve. */
  readonly curveEvery: number;
  readonly sumCost: readonly SumCost[];
  readonly seconds: number;
}

/** Tells what is being done; every line replaces nothing, so that it reads in a log as well. */
export type Progress = (line: string) => void;

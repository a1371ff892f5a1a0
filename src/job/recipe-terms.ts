// What a recipe says, as types: docs/recipes.md has the formulas.

import type { EarlyStopping } from './recipe-stopping.js';
import type { LearningRateSchedule, LossKind, LossSettings, OptimiserSettings } from '../model/index.js';

/** The names of model/'s losses. */
export type LossName = LossKind;

export type OptimiserSetting = OptimiserSettings & { readonly learningRate: number };

export type LocalWork =
  | { readonly kind: 'epochs'; readonly epochs: number }
  | { readonly kind: 'steps'; readonly steps: number };

/** What local training does about data that differ from silo to silo. docs/recipes.md. */
export type LocalMethod =
  | { readonly kind: 'plain' }
  | { readonly kind: 'fed-prox'; readonly mu: number }
  | { readonly kind: 'fed-nova' }
  | {
      readonly kind: 'scaffold';
      /** Bound on the L2 norm of one silo's change of its control variate in a round. */
      readonly controlClip: number;
    };

export interface Recipe {
  readonly loss: LossSettings;
  readonly optimiser: OptimiserSetting;
  readonly schedule: LearningRateSchedule;
  /** Rounds over which the rate climbs; 0 for none. */
  readonly warmUpRounds: number;
  /** Gradients of a step are cut to this L2 norm; undefined for no cut. */
  readonly maxGradientNorm: number | undefined;
  readonly method: LocalMethod;
  /** Records in one step. */
  readonly batchSize: number;
  /** What one round trains. */
  readonly localWork: LocalWork;
  /** Part of the records held out for evaluation, [0, 0.9]. */
  readonly holdoutFraction: number;
  readonly histogramBins: number;
  /** Records that count as weight 1; a silo with more counts as 1. */
  readonly weightRows: number;
  /** Columns with categories, for each of which metrics are summed by themselves. */
  readonly slices: readonly string[];
  /** When a training job ends before its last round; never unless given. */
  readonly earlyStopping?: EarlyStopping | undefined;
}

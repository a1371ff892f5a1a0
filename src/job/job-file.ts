// What a data scientist writes: the job file as a plain object, without anything that follows from something else. config/ reads it
// from YAML; `buildManifest` (manifest.ts) fills in what follows and the defaults.

import type { TargetColumn } from './contract.js';
import type { FeatureColumn } from './contract-feature.js';
import type { LearningRateSchedule, LossSettings } from '../model/index.js';
import type { LocalMethod, LocalWork, OptimiserSetting } from './recipe.js';
import type { StatisticsPlan } from './statistics-plan.js';
import type { UpdateSetting } from './update-rule.js';
import type { NoiseTerms } from './noise.js';
import type { StatisticsNoiseTerms } from './statistics-noise.js';
import type { UnitNoiseTerms } from './unit-noise.js';

export interface JobFileData {
  /** Name of the data set in every agent's configuration. */
  readonly dataSet: string;
  readonly features: readonly FeatureColumn[];
  readonly missing: 'refuse' | 'drop-row';
  readonly minRows: number;
  readonly maxRows: number;
}

export interface JobFileTraining {
  readonly loss: LossSettings;
  readonly optimiser: OptimiserSetting;
  /** Constant unless given. */
  readonly schedule?: LearningRateSchedule | undefined;
  /** 0 unless given. */
  readonly warmUpRounds?: number | undefined;
  /** No cut unless given. */
  readonly maxGradientNorm?: number | undefined;
  /** Plain unless given. */
  readonly method?: JobFileMethod | undefined;
  readonly batchSize: number;
  readonly localWork: LocalWork;
  /** C: bound on the L2 norm of one silo's change of the parameters in a round. */
  readonly clip: number;
  /** Bound on one silo's change of each running statistic of batch normalisation in a round, times its weight. 100 unless given. */
  readonly statisticsClip?: number | undefined;
  /** Records that count as weight 1: about what the largest silo trains on. Far more would flatten coarse weights to 1/64 each. */
  readonly weightRows: number;
  /** `coarse` unless given. */
  readonly weightVisibility?: 'public' | 'coarse' | undefined;
  /** Federated averaging with a step of 1 unless given. */
  readonly server?: UpdateSetting | undefined;
  /** Noise under the mask, which makes a whole silo the unit of a promise; none unless given. */
  readonly privacy?: NoiseTerms | undefined;
  /** DP-SGD in every silo, which makes a record or a person the unit of a promise; none unless given. */
  readonly unitPrivacy?: UnitNoiseTerms | undefined;
}

export type JobFileMethod =
  | Exclude<LocalMethod, { kind: 'scaffold' }>
  | {
      readonly kind: 'scaffold';
      /** Twice what a silo can change by, for the smallest silo, unless given: 2 * clip / reach of its local steps. */
      readonly controlClip?: number | undefined;
    };

export interface JobFileEvaluation {
  readonly loss: LossSettings;
  /** 0.2 unless given; 0 for training without any metrics. */
  readonly holdoutFraction?: number | undefined;
  /** 100 unless given, 32 with the loss cox. */
  readonly histogramBins?: number | undefined;
  /** Columns with categories, for each of which metrics are summed by themselves; none unless given. */
  readonly slices?: readonly string[] | undefined;
}

export interface JobFileModel {
  /** Path of the forward ONNX model. */
  readonly file: string;
  /** The statistics job whose result standardises the features. */
  readonly standardiseBy?: string | undefined;
  /** Names of the parameters to train, `*` for any characters; all unless given. The others keep the values of the file. */
  readonly train?: readonly string[] | undefined;
}

export interface TrainedModel extends JobFileModel {
  /** Names of parameters that every silo trains for itself and that are in no sum; none unless given. */
  readonly local?: readonly string[] | undefined;
}

interface JobFileCommon {
  /** Unique in the consortium for ever. */
  readonly job: string;
  /** For the people who approve it. */
  readonly description: string;
  /** J, in any order. */
  readonly silos: readonly string[];
  /** c. ceil(|J| / 3) - 1 unless given. */
  readonly maxMalicious?: number | undefined;
  /** The smallest cohort of at least 5 (or all, where J has fewer) that c allows, unless given. */
  readonly minCohort?: number | undefined;
  /** Who masks with whom; the complete graph unless given. */
  readonly graph?: { readonly kind: 'complete' } | { readonly kind: 'regular'; readonly absent: number } | undefined;
  /** m. 32 unless given. */
  readonly modulusBits?: number | undefined;
  /** True unless given. */
  readonly fullVerification?: boolean | undefined;
  /** Milliseconds, each `DEFAULT_TIMEOUTS` unless given. */
  readonly timeouts?: { readonly [K in keyof Timeouts]?: number | undefined } | undefined;
}

export interface Timeouts {
  readonly advertiseMs: number;
  readonly shareMs: number;
  readonly maskMs: number;
  readonly confirmMs: number;
  readonly unmaskMs: number;
  readonly absentAfterMs: number;
  readonly graceMs: number;
}

export interface TrainingJobFile extends JobFileCommon {
  readonly kind: 'train';
  readonly data: JobFileData & { readonly target: TargetColumn };
  readonly model: TrainedModel;
  readonly training: JobFileTraining;
  readonly evaluation?: Omit<JobFileEvaluation, 'loss'> | undefined;
  readonly rounds: number;
  /** Ends the job when a metric has not become better for so many rounds; never unless given. */
  readonly earlyStopping?:
    | { readonly metric: string; readonly patience: number; readonly minimumImprovement?: number | undefined }
    | undefined;
  /** 2 unless given. */
  readonly rejectedRoundsLimit?: number | undefined;
  /** Half of what the smallest cohort weighs with min_rows each, unless given. */
  readonly minWeight?: number | undefined;
}

export interface EvaluationJobFile extends JobFileCommon {
  readonly kind: 'evaluate';
  readonly data: JobFileData & { readonly target: TargetColumn };
  readonly model: JobFileModel;
  readonly evaluation: JobFileEvaluation;
}

export interface StatisticsJobFile extends JobFileCommon {
  readonly kind: 'statistics';
  /** A target of kind survival where curves are asked for, otherwise none. */
  readonly data: JobFileData & { readonly target?: TargetColumn | undefined };
  /** Means and deviations alone unless given. */
  readonly statistics?: StatisticsPlan | undefined;
  /** Noise on every sum, with one record as the unit; none unless given. Not with tables. */
  readonly privacy?: StatisticsNoiseTerms | undefined;
}

export type JobFile = TrainingJobFile | EvaluationJobFile | StatisticsJobFile;

/**
 * A round waits this long for its slowest member. Masking includes local training; the others are a few messages each, with room for
 * a hospital's proxy and a restart of its agent.
 */
export const DEFAULT_TIMEOUTS: Timeouts = {
  advertiseMs: 60_000,
  shareMs: 60_000,
  maskMs: 600_000,
  confirmMs: 60_000,
  unmaskMs: 60_000,
  absentAfterMs: 15_000,
  graceMs: 2_000,
};

/** Cohorts below this need an explicit opt-in in each silo's own policy. */
export const DEFAULT_MIN_COHORT = 5;

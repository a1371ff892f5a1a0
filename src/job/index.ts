// job: what a manifest computes. Parses its opaque parts (training recipe, data contract, update rule), derives the layout of the sum
// from them, says what each silo puts into the vector and what its opened sum means, and explains a manifest to the people who
// approve it. Pure: reading records is dataset/'s business, training trainer/'s, masking protocol/'s.

export { JOB_ERRORS, JobError, type JobErrorCode, type Problem } from './errors.js';
export { JOB_LIMITS } from './limits.js';
export {
  encodeRecipe,
  parseRecipe,
  type LocalMethod,
  type LocalWork,
  type LossName,
  type OptimiserSetting,
  type Recipe,
} from './recipe.js';
export { encodeContract, parseContract, type Contract, type TargetColumn } from './contract.js';
export { type FeatureColumn, type MissingRule } from './contract-feature.js';
export { encodeUpdateRule, parseUpdateRule, type UpdateSetting } from './update-rule.js';
export { isBinary, isClassification } from './recipe-loss.js';
export { commonControl } from './memory.js';
export { weightCount } from './vector-parts.js';
export { joinParts, localOf, sharedOf, type LocalPart, type ModelParts } from './local-part.js';
export { parseJob, type Job, type JobKindName } from './job.js';
export { roundingError, unitBudget, type Room } from './budget.js';
export {
  COARSE_WEIGHT_STEPS,
  deriveClosingLayout,
  deriveLayout,
  SEGMENT,
  type LayoutTerms,
  type TrainingTerms,
} from './layout.js';
export { lossBound } from './holdout-parts.js';
export { sliceColumns, type SliceColumn } from './slices.js';
export { graphLines, graphRefusal, type GraphFacts } from './explain-graph.js';
export { checkOwnUnits, checkPrivacy } from './privacy-check.js';
export { epsilonOfUnits, noiseOfEpsilon, runOf, samplingOf, type UnitNoiseTerms, type UnitRun } from './unit-noise.js';
export { epsilonOfSum, noisyQuantiser, type NoiseTerms, type NoisySum } from './noise.js';
export { maskable, type MaskableVector, type NoiseShare } from './maskable.js';
export { checkLayout, type LayoutDifference } from './layout-check.js';
export { clippedControl, trainingSegments, weightOf, type TrainingContribution } from './contribution.js';
export { evaluationSegments, type HoldoutSums, type MetricTerms, type SlicedSums } from './holdout-contribution.js';
export { statisticsSegments } from './statistics-contribution.js';
export { NO_TABLES, type StatisticsPlan } from './statistics-plan.js';
export { tablesOf, type CountedRows, type CountedRows as FeatureRows } from './statistics-tables.js';
export { withoutSmallCells } from './small-cells.js';
export {
  readStatisticsReport,
  type ContingencyReport,
  type CorrelationReport,
  type Curve,
  type HistogramReport,
  type MissingReport,
  type Quantile,
  type StatisticsReport,
} from './statistics-report.js';
export { rotated, rotationKey } from './rotation.js';
export { type OpenedSum } from './opened.js';
export { readStatistics, type ColumnStatistics } from './statistics.js';
export { readMetrics, type ModelMetrics, type PartMetrics, type SliceMetrics } from './metrics.js';
export { cohortSizes, contributorsOf, defaultMaxMalicious, type CohortSize, type CohortTerms } from './cohort.js';
export {
  DEFAULT_MIN_COHORT,
  DEFAULT_TIMEOUTS,
  type EvaluationJobFile,
  type JobFile,
  type JobFileData,
  type JobFileEvaluation,
  type JobFileModel,
  type JobFileTraining,
  type StatisticsJobFile,
  type Timeouts,
  type TrainingJobFile,
} from './job-file.js';
export { buildManifest, contractOf } from './manifest.js';
export { type ManifestFacts } from './manifest-facts.js';
export { judgeRound, type Judgement, type RoundToJudge } from './judge.js';
export {
  decodeModelState,
  encodeModelState,
  firstModel,
  NO_MODEL_STATE,
  type FirstModel,
  type ModelState,
} from './model-state.js';
export { smallestModulus } from './modulus.js';
export { explainManifest, type ExplanationContext, type ExplanationSection } from './explain.js';

// model: reads and checks a forward ONNX model, derives the graphs that train and evaluate it, exports it with new parameters, and
// holds the arithmetic around it: losses, optimisers, the update rule on a verified sum, metrics from sums. Pure: running the graphs
// is the trainer's business.

export { MODEL_ERRORS, ModelError, type ModelErrorCode, type ModelProblem } from './errors.js';
export {
  assertParameters,
  initialParameters,
  parametersIn,
  readForwardModel,
  withParameters,
  type ForwardModel,
  type ReadOptions,
} from './forward.js';
export type { ParameterSlot } from './slot.js';
export { withStandardisation, type Standardisation } from './standardise/standardise.js';
export { measured, probeGraph, type Probe } from './probe.js';
export { differentiate, evaluationGraph, STEP_NAMES, type StepGraph, type TrainingGraph } from './differentiate.js';
export { clippedGraph, refuseMixing, type ClippedGraph } from './clipped.js';
export type { BatchStatistic, DropoutMask } from './autodiff/tape.js';
export type { Measured, Shapes } from './graph/measured.js';
export { RULES } from './autodiff/rules.js';
export {
  createLoss,
  defaultLoss,
  FOCAL_GAMMA_MAX,
  LOSSES,
  type Loss,
  type LossKind,
  type LossSettings,
} from './loss/index.js';
export { GraphBuilder } from './graph/builder.js';
export * as attributes from './graph/attribute.js';
export { float32, int64s, scalar } from './graph/tensor.js';
export { elementCount, type Graph, type GraphNode, type Tensor } from './graph/types.js';
export { createOptimiser, type Optimiser, type OptimiserSettings, type SgdSettings } from './optimiser/index.js';
export { clipGradientInto } from './optimiser/clip-gradient.js';
export { learningRateAt, type LearningRateSchedule, type RatePlan } from './optimiser/schedule.js';
export { pullTowardsInto } from './optimiser/fed-prox.js';
export { controlChange, correctInto } from './optimiser/scaffold.js';
export { reachOf } from './optimiser/reach.js';
export { applyUpdate, type Updated, type UpdateRule } from './update-rule/index.js';
export { rescale } from './update-rule/fed-nova.js';
export { advanceControl, readControl } from './update-rule/scaffold.js';
export { aucFromHistograms, scoreBin, type Auc } from './metrics/histogram.js';
export { averagePrecision, type AveragePrecision } from './metrics/average-precision.js';
export { calibration, confusionAtHalf, type Calibration, type Confusion } from './metrics/calibration.js';
export { regressionMetrics, type RegressionMetrics, type RegressionSums } from './metrics/regression.js';
export { concordance, type Concordance } from './metrics/concordance.js';
export { accuracy } from './metrics/accuracy.js';

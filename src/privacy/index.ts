// privacy: what a sum may tell about one record: accountants that turn noise into epsilon and back, and exact samplers of the noise.
// Pure: random bytes come in from outside, and who keeps the ledger is the program's business.

export { demandParameter, PRIVACY_ERRORS, PrivacyError, type PrivacyErrorCode } from './errors.js';
export { PRIVACY_LIMITS } from './limits.js';
export { accountRun, checkRun, rdpOfRun, type Account, type Run } from './account.js';
export {
  epsilonOfUses,
  mechanismRdp,
  type Mechanism,
  type NoiseOnSteps,
  type NoiseOnSum,
  type Use,
} from './compose.js';
export { noiseFor, spent, stepsFor, type Accountant } from './calibrate.js';
export { gaussianDelta, gaussianEpsilon } from './gaussian.js';
export { deltaOf, epsilonAt, epsilonOf, type RdpBound, type RdpCurve } from './rdp/convert.js';
export {
  discreteGaussianRdp,
  distributedGaussianRdp,
  integerSensitivity,
  skellamRdp,
  type Sensitivity,
} from './rdp/discrete.js';
export { ORDERS } from './rdp/orders.js';
export { poissonSampledRdp } from './rdp/poisson-sampling.js';
export { sampledGaussianRdp, type SampledGaussian } from './rdp/sampled-gaussian.js';
export {
  collusionNeeded,
  CORRECTNESS_BITS,
  exposureBits,
  graphParameters,
  isSecret,
  releasesThatOpenNothing,
  upperTail,
  type Draw,
  type GraphParameters,
} from './masking-graph.js';
export { epsilonOfRho, gaussianRho, rhoOfEpsilon } from './zcdp.js';
export { planRecords, planSilos, signalToNoise, type Budget, type RecordPlan, type SiloPlan } from './plan.js';
export { clippedGrid, GRID_SIGMA, GridNoise, type Grid } from './sample/grid.js';
export { poissonSample } from './sample/poisson.js';
export { addNoiseInto, type NextBytes } from './sample/draw.js';
export { flattened, rotateBackInto, rotatedWidth, rotateInto, rotationFrom, type Rotation } from './sample/rotation.js';
export { roundedNormBound } from './sample/rounding.js';
export { noiseTable, type NoiseKind, type NoiseTable } from './sample/table.js';

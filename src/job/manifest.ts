// From a job file to the manifest that an operator signs: the layout, the bounds of acceptance and every default written out, so that
// those who approve it see all of it.

import { compareBytes, utf8 } from '../base/index.js';
import {
  JobKind,
  NoiseMechanism,
  type AcceptanceRule,
  type JobManifest,
  type Segment,
  type StatisticsSource,
  type SumNoise,
  type UnitNoise,
} from '../wire/index.js';
import { roundingError, type Room } from './budget.js';
import { cohortSizes, contributorsOf, defaultMaxMalicious } from './cohort.js';
import { encodeContract, parseContract, type Contract } from './contract.js';
import type { Job } from './job.js';
import { JobError } from './errors.js';
import { DEFAULT_MIN_COHORT, DEFAULT_TIMEOUTS, type JobFile, type TrainingJobFile } from './job-file.js';
import { checkFile } from './job-file-check.js';
import { DEFAULT_STATISTICS_CLIP, deriveClosingLayout, deriveLayout, SEGMENT, type LayoutTerms } from './layout.js';
import type { ManifestFacts } from './manifest-facts.js';
import { JOB_LIMITS } from './limits.js';
import { smallestModulus } from './modulus.js';
import { encodeRecipe, type LocalMethod, type Recipe } from './recipe.js';
import { reachOf } from '../model/index.js';
import { epsilonOfSum, noisyQuantiser, type NoisyQuantiser } from './noise.js';
import {
  epsilonOfStatistics,
  noisyCount,
  noisyStatistics,
  statisticsNoise,
  type StatisticsNoiseTerms,
} from './statistics-noise.js';
import { epsilonOfUnits, noiseOfEpsilon, samplingOf } from './unit-noise.js';
import { encodePlan, NO_TABLES } from './statistics-plan.js';
import { encodeUpdateRule } from './update-rule.js';

/** Throws JobError `job/bad-job-file` with every bad field, and what the parts throw: `job/bad-recipe`, `job/overflow`, ... */
export function buildManifest(file: JobFile, facts: ManifestFacts): JobManifest {
  const silos = [...file.silos].sort((a, b) => compareBytes(utf8(a), utf8(b)));
  const maxMalicious = file.maxMalicious ?? defaultMaxMalicious(silos.length);
  const minCohort = file.minCohort ?? defaultMinCohort(silos.length, maxMalicious);
  const job = jobOf(file);
  const graph = file.graph?.kind === 'regular' ? { absent: file.graph.absent } : undefined;
  checkFile(file, facts, job, { silos, maxMalicious, minCohort, graph });
  const plain = layoutTerms(file, job, facts);
  const contributors = contributorsOf({ silos, maxMalicious, minCohort });
  const room: Room = {
    silos: silos.length,
    modulusBits: file.modulusBits ?? modulusOf(file, job, plain, { silos: silos.length, contributors }),
  };
  const noise = noiseOf(file, plain, room, contributors);
  const terms = plain.kind === 'evaluate' ? plain : { ...plain, noisy: noise?.quantiser };
  const inSilos = unitNoiseOf(file, job);
  const layout = deriveLayout(terms, room);
  const bounds =
    file.kind === 'train' ? acceptance(file, terms, layout.segments, room, { minCohort, noise }) : undefined;
  return {
    version: 1,
    jobId: file.job,
    rosterHash: facts.rosterHash,
    kind: KIND_NUMBERS[file.kind],
    silos,
    maxMalicious,
    minCohort,
    graph,
    forwardModel: facts.model?.blob,
    initialModelHash: facts.initialModelHash,
    recipe: job.kind === 'statistics' ? encodePlan(job.plan) : encodeRecipe(job.recipe),
    updateRule: job.kind === 'train' ? encodeUpdateRule(job.update) : new Uint8Array(),
    layout,
    modulusBits: room.modulusBits,
    // Without noise the ledger counts uses. docs/protocol.md §1 says what remains open then.
    privacy: noise?.privacy ?? inSilos?.privacy ?? { epsilon: 0, delta: 0 },
    noise: noise?.message,
    unitNoise: inSilos?.message,
    roundLimit: file.kind === 'train' ? file.rounds : 1,
    dataContract: encodeContract(job.contract),
    fullVerification: file.fullVerification ?? true,
    timeouts: { ...DEFAULT_TIMEOUTS, ...given(file.timeouts ?? {}) },
    rejectedRoundsLimit: file.kind === 'train' ? (file.rejectedRoundsLimit ?? 2) : 2,
    acceptance: bounds,
    standardiseBy: statisticsSource(file, facts),
    description: file.description,
    reopenedKeys: [],
    closingLayout: deriveClosingLayout(job, room),
    train: file.kind === 'statistics' ? [] : [...(file.model.train ?? [])],
    local: file.kind === 'train' ? [...(file.model.local ?? [])] : [],
  };
}

/** Where a job file does not say it. The vectors of other jobs than training are short, and are given all the room there is. */
function modulusOf(
  file: JobFile,
  job: Job,
  terms: LayoutTerms,
  { silos, contributors }: { readonly silos: number; readonly contributors: number },
): number {
  if (terms.kind !== 'train') return JOB_LIMITS.modulusBitsMax;
  const finest = noiseOf(file, terms, { silos, modulusBits: JOB_LIMITS.modulusBitsMax }, contributors);
  const rotates = finest?.message.rotated === true;
  // Beside rotated numbers the noise says how fine they have to be: their steps are counted by `noisyQuantiser`.
  return smallestModulus(silos, rotates ? 'any' : terms.parameterCount, (room) => {
    const noise = noiseOf(file, terms, room, contributors);
    if (noise !== undefined && !rotates && noise.quantiser.qMax !== finest?.quantiser.qMax)
      throw new JobError('job/overflow', 'fewer bits would make numbers coarser beside their noise.');
    deriveLayout({ ...terms, noisy: noise?.quantiser }, room);
    deriveClosingLayout(job, room);
  });
}

const KIND_NUMBERS = {
  train: JobKind.JOB_KIND_TRAIN,
  evaluate: JobKind.JOB_KIND_EVALUATE,
  statistics: JobKind.JOB_KIND_STATISTICS,
} as const satisfies Record<JobFile['kind'], JobKind>;

/** What a job file asks of records. Throws JobError `job/bad-contract` with every bad field. */
export function contractOf(file: JobFile): Contract {
  const { dataSet, features, missing, minRows, maxRows } = file.data;
  const { target } = file.data;
  const unitColumn = file.kind === 'train' ? file.training.unitPrivacy?.unitColumn : undefined;
  return parseContract(encodeContract({ dataSet, features, target, missing, minRows, maxRows, unitColumn }));
}

function stoppingOf({ earlyStopping }: TrainingJobFile): Recipe['earlyStopping'] {
  return earlyStopping && { ...earlyStopping, minimumImprovement: earlyStopping.minimumImprovement ?? 0 };
}

/** Bins of time, and bins of score in each: two tables of 1024 counts. */
const DEFAULT_COX_BINS = 32;

function jobOf(file: JobFile): Job {
  const contract = contractOf(file);
  const { maxRows } = contract;
  if (file.kind === 'statistics') return { kind: 'statistics', contract, plan: file.statistics ?? NO_TABLES };
  const loss = file.kind === 'train' ? file.training.loss : file.evaluation.loss;
  const recipe: Recipe = {
    ...(file.kind === 'train' ? trainingOf(file) : EVALUATION_ONLY),
    loss,
    holdoutFraction: file.evaluation?.holdoutFraction ?? 0.2,
    histogramBins: file.evaluation?.histogramBins ?? (loss.kind === 'cox' ? DEFAULT_COX_BINS : 100),
    slices: file.evaluation?.slices ?? [],
    earlyStopping: file.kind === 'train' ? stoppingOf(file) : undefined,
    weightRows: file.kind === 'train' ? file.training.weightRows : maxRows,
  };
  if (file.kind === 'evaluate') return { kind: 'evaluate', recipe, contract };
  return { kind: 'train', recipe, update: file.training.server ?? { kind: 'fed-avg', learningRate: 1 }, contract };
}

function trainingOf(file: TrainingJobFile) {
  const { optimiser, schedule, warmUpRounds, maxGradientNorm, batchSize, localWork } = file.training;
  return {
    optimiser,
    schedule: schedule ?? ({ kind: 'constant' } as const),
    warmUpRounds: warmUpRounds ?? 0,
    maxGradientNorm,
    method: methodOf(file),
    batchSize,
    localWork,
  };
}

function methodOf({ training, data, evaluation }: TrainingJobFile): LocalMethod {
  const { method, optimiser, localWork, batchSize, clip } = training;
  if (method?.kind !== 'scaffold') return method ?? { kind: 'plain' };
  if (method.controlClip !== undefined) return { kind: 'scaffold', controlClip: method.controlClip };
  const fewest = data.minRows * (1 - (evaluation?.holdoutFraction ?? 0.2));
  const steps = localWork.kind === 'steps' ? localWork.steps : localWork.epochs * Math.ceil(fewest / batchSize);
  // Another optimiser is refused with the recipe.
  const reach = optimiser.kind === 'sgd' ? reachOf(optimiser, optimiser.learningRate, steps, 0) : 1;
  return { kind: 'scaffold', controlClip: (2 * clip) / reach };
}

/** An evaluation job trains nothing; its recipe still says how in the smallest valid terms. */
const EVALUATION_ONLY = {
  optimiser: { kind: 'sgd', learningRate: 1, momentum: 0 },
  schedule: { kind: 'constant' },
  warmUpRounds: 0,
  maxGradientNorm: undefined,
  method: { kind: 'plain' },
  batchSize: 64,
  localWork: { kind: 'steps', steps: 1 },
} as const satisfies Partial<Recipe>;

function layoutTerms(file: JobFile, job: Job, facts: ManifestFacts): LayoutTerms {
  if (job.kind !== 'train' || file.kind !== 'train') return job as Exclude<Job, { kind: 'train' }>;
  const { recipe, contract } = job;
  const { clip, statisticsClip = DEFAULT_STATISTICS_CLIP, weightVisibility = 'coarse' } = file.training;
  // `checkFile` has refused a training job without a model.
  const { parameterCount = 0, statisticCount = 0 } = facts.model ?? {};
  return { kind: 'train', recipe, contract, parameterCount, statisticCount, statisticsClip, clip, weightVisibility };
}

/**
 * Total weight: half of what the smallest cohort weighs when each silo has min_rows, so that a sum cannot be divided by almost
 * nothing. Norm of the mean: the clip and what rounding can add to it, n / scale per coordinate, at that weight.
 */
function acceptance(
  file: TrainingJobFile,
  terms: LayoutTerms,
  segments: readonly Segment[],
  room: Room,
  { minCohort, noise }: { readonly minCohort: number; readonly noise: Noise | undefined },
): AcceptanceRule | undefined {
  const delta = segments.find(({ name }) => name === SEGMENT.delta);
  if (terms.kind !== 'train' || delta === undefined) return undefined;
  const { recipe, contract, clip } = terms;
  const parameterCount = Number(delta.length);
  const trained = contract.minRows * (1 - recipe.holdoutFraction);
  const minWeight = file.minWeight ?? (minCohort * Math.min(1, trained / recipe.weightRows)) / 2;
  const rounding = (roundingError(delta, room.silos) * Math.sqrt(parameterCount)) / minWeight;
  if (noise === undefined || delta.quantiser?.$case !== 'real') return { minWeight, maxMeanNorm: clip + rounding };
  // Every silo of J with the largest share; the norm of d normal variables exceeds sqrt(d) + 8 with a chance below 1e-13.
  const sigma = Math.sqrt((noise.quantiser.variance * room.silos) / noise.contributors) / delta.quantiser.value.scale;
  return { minWeight, maxMeanNorm: clip + rounding + (sigma * (Math.sqrt(parameterCount) + 8)) / minWeight };
}

interface Noise {
  readonly quantiser: Pick<NoisyQuantiser, 'qMax' | 'units' | 'variance'>;
  readonly contributors: number;
  readonly message: SumNoise;
  readonly privacy: { readonly epsilon: number; readonly delta: number };
}

/** The noise that a job file asks for, and what all its rounds then cost. */
function noiseOf(file: JobFile, terms: LayoutTerms, room: Room, contributors: number): Noise | undefined {
  if (file.kind === 'statistics' && file.privacy !== undefined)
    return statisticsNoiseOf(file.privacy, terms.contract, room, contributors);
  if (file.kind !== 'train' || terms.kind !== 'train' || file.training.privacy === undefined) return undefined;
  const { mechanism, delta } = file.training.privacy;
  const dimensions = terms.parameterCount;
  const quantiser = noisyQuantiser(file.training.privacy, { dimensions, contributors, room });
  const { epsilon } = epsilonOfSum({ mechanism, ...quantiser, dimensions, contributors, rounds: file.rounds }, delta);
  return {
    quantiser,
    contributors,
    message: {
      mechanism: MECHANISM_NUMBERS[mechanism],
      variance: quantiser.variance,
      tail: BigInt(quantiser.tail),
      rotated: quantiser.units !== undefined,
      recordSensitivity: 0,
    },
    privacy: { epsilon, delta },
  };
}

/** Noise on the sums of a statistics job, with one record as the unit. */
function statisticsNoiseOf(terms: StatisticsNoiseTerms, contract: Contract, room: Room, contributors: number): Noise {
  const { mechanism, delta } = terms;
  const found = noisyStatistics(statisticsNoise(terms, contract, { contributors, room }), contract, {
    contributors,
    room,
  });
  const { qMax, variance, tail, sensitivity } = found;
  const epsilon = epsilonOfStatistics(mechanism, found, { contributors, dimensions: noisyCount(contract) }, delta);
  return {
    quantiser: { qMax, units: undefined, variance },
    contributors,
    message: {
      mechanism: MECHANISM_NUMBERS[mechanism],
      variance,
      tail: BigInt(tail),
      rotated: false,
      recordSensitivity: sensitivity,
    },
    privacy: { epsilon, delta },
  };
}

/** DP-SGD as a job file asks for it, and what all its rounds cost in the smallest silo. */
function unitNoiseOf(
  file: JobFile,
  job: Job,
): { readonly message: UnitNoise; readonly privacy: { readonly epsilon: number; readonly delta: number } } | undefined {
  if (file.kind !== 'train' || job.kind !== 'train' || file.training.unitPrivacy === undefined) return undefined;
  const { unitColumn = '', clip, noise: given, epsilon: wanted = 0, delta, minUnits } = file.training.unitPrivacy;
  const { batchSize: batch, localWork } = job.recipe;
  // `checkFile` has refused epochs.
  const steps = localWork.kind === 'steps' ? localWork.steps : 0;
  const units = minUnits ?? file.data.minRows;
  const run = { sampling: samplingOf(batch, units), steps: steps * file.rounds };
  const noise = given ?? noiseOfEpsilon(run, wanted, delta);
  const { epsilon } = epsilonOfUnits({ ...run, noise }, delta);
  return {
    message: { unitColumn, clip, noise, batch, minUnits: BigInt(units), steps },
    privacy: { epsilon, delta },
  };
}

const MECHANISM_NUMBERS = {
  skellam: NoiseMechanism.NOISE_MECHANISM_SKELLAM,
  'discrete-gaussian': NoiseMechanism.NOISE_MECHANISM_DISCRETE_GAUSSIAN,
} as const;

function statisticsSource(file: JobFile, facts: ManifestFacts): StatisticsSource | undefined {
  const jobId = file.kind === 'statistics' ? undefined : file.model.standardiseBy;
  const resultHash = facts.statisticsResultHash;
  return jobId === undefined || resultHash === undefined ? undefined : { jobId, resultHash };
}

/** The smallest valid cohort of at least 5, or the smallest at all where J is smaller or c leaves no other. */
function defaultMinCohort(silos: number, maxMalicious: number): number {
  const minCohort = Math.min(DEFAULT_MIN_COHORT, silos);
  return cohortSizes({ silos, maxMalicious, minCohort, minHonest: 2 })[0]?.silos ?? minCohort;
}

/** Without the fields that are undefined, so that they do not hide a default. */
function given<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  // Only fields that are defined are left.
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

// A silo's check that the epsilon of a manifest is the one that its noise gives: it computes it itself. The coordinator is not asked.

import { NoiseMechanism, Visibility, type JobManifest, type RealQuantiser, type SumNoise } from '../wire/index.js';
import { roundedNormBound } from '../privacy/index.js';
import { contributorsOf } from './cohort.js';
import { JobError } from './errors.js';
import { parseJob, type Job } from './job.js';
import { pairsOf, tablesOf } from './statistics-tables.js';
import { epsilonOfStatistics, noisyCount, recordSensitivity } from './statistics-noise.js';
import { SEGMENT } from './layout.js';
import { epsilonOfSum, type Mechanism } from './noise.js';
import { epsilonOfUnits, runOf, whatElseSeesUnits } from './unit-noise.js';
import type { Recipe } from './recipe.js';
import { Problems } from './problems.js';

/** The manifest may state an epsilon as it was computed on another machine. */
const TOLERANCE = 1 + 1e-9;

/** Throws JobError `job/bad-manifest` with every reason why the promise does not hold. Does nothing for a job without noise. */
export function checkPrivacy(manifest: JobManifest): void {
  const { noise, privacy } = manifest;
  checkUnits(manifest);
  if (noise === undefined) return;
  const job = parseJob(manifest);
  const problems = new Problems();
  const delta = manifest.layout?.segments.find(({ name }) => name === SEGMENT.delta);
  if (job.kind === 'statistics') {
    checkStatistics(manifest, noise, job);
    return;
  }
  if (job.kind !== 'train' || delta?.quantiser?.$case !== 'real')
    throw new JobError('job/bad-manifest', 'only the change of the parameters of a training job carries noise.');
  problems.require(
    delta.visibility === Visibility.VISIBILITY_NOISED,
    'layout.delta',
    'noise on the change of the parameters',
  );
  problems.addAll('', whatElseTells(job.recipe));
  problems.require(
    manifest.layout?.segments.every(({ name }) => name !== SEGMENT.runningStatistics) === true,
    'layout.running-statistics',
    'no running statistics in a job with noise: they would travel without any',
  );
  const contributors = requireContributors(problems, manifest);
  problems.throwIfAny('job/bad-manifest', 'the promise of privacy');
  const computed = epsilonOfSum(
    {
      mechanism: mechanismOf(noise),
      variance: noise.variance,
      l2: sensitivityOf(delta.quantiser.value, Number(delta.length), noise.rotated),
      dimensions: Number(delta.length),
      contributors,
      rounds: manifest.roundLimit,
    },
    privacy?.delta ?? 0,
  );
  demandEpsilon(computed.epsilon, manifest);
}

/** The same for a statistics job: all that is summed carries noise, and what one record can change is what its ranges allow. */
function checkStatistics(
  manifest: JobManifest,
  noise: SumNoise,
  { contract, plan }: Extract<Job, { kind: 'statistics' }>,
): void {
  const problems = new Problems();
  const segments = manifest.layout?.segments ?? [];
  const rows = segments.find(({ name }) => name === SEGMENT.rows)?.quantiser;
  const scale = rows?.$case === 'real' ? rows.value.scale : 0;
  problems.require(
    scale > 0 &&
      segments.every(
        ({ name, visibility, quantiser }) =>
          name === SEGMENT.saturated ||
          (visibility === Visibility.VISIBILITY_NOISED &&
            quantiser?.$case === 'real' &&
            quantiser.value.scale === scale),
      ),
    'layout',
    'noise on every sum, all at one scale',
  );
  problems.require(tablesOf(plan, contract).length + pairsOf(plan, contract).length === 0, 'recipe', 'no tables');
  problems.require(
    noise.recordSensitivity >= recordSensitivity(contract, scale) * (1 - 1e-12),
    'noise.record_sensitivity',
    `at least ${String(recordSensitivity(contract, scale))}, which one record can change`,
  );
  const contributors = requireContributors(problems, manifest);
  problems.throwIfAny('job/bad-manifest', 'the promise of privacy');
  const computed = epsilonOfStatistics(
    mechanismOf(noise),
    { variance: noise.variance, sensitivity: noise.recordSensitivity },
    { contributors, dimensions: noisyCount(contract) },
    manifest.privacy?.delta ?? 0,
  );
  demandEpsilon(computed, manifest);
}

function requireContributors(problems: Problems, manifest: JobManifest): number {
  const contributors = contributorsOf(manifest);
  problems.require(
    contributors > 0,
    'max_malicious',
    'fewer: no honest silo but the reader would be sure to add noise',
  );
  return contributors;
}

function mechanismOf({ mechanism }: SumNoise): Mechanism {
  return mechanism === NoiseMechanism.NOISE_MECHANISM_SKELLAM ? 'skellam' : 'discrete-gaussian';
}

/** What one silo can change, in quantised units: its clip, and what rounding can add to it. */
function sensitivityOf({ clip, scale, qMax }: RealQuantiser, dimensions: number, rotated: boolean): number {
  return rotated ? roundedNormBound(clip * scale, dimensions) : Number(qMax) + Math.sqrt(dimensions);
}

/** The same for DP-SGD, from the smallest silo that the manifest lets in. */
function checkUnits(manifest: JobManifest): void {
  const { unitNoise, privacy, roundLimit } = manifest;
  if (unitNoise === undefined) return;
  const job = parseJob(manifest);
  const problems = new Problems();
  if (job.kind !== 'train') throw new JobError('job/bad-manifest', 'only a training job cuts and noises gradients.');
  problems.addAll('', whatElseSeesUnits(job.recipe, unitNoise, job.contract.unitColumn));
  problems.require(
    manifest.layout?.segments.every(({ name }) => name !== SEGMENT.runningStatistics) === true,
    'layout.running-statistics',
    'no running statistics in a job with noise: they would travel without any',
  );
  problems.throwIfAny('job/bad-manifest', 'the promise of privacy');
  demandEpsilon(epsilonOfUnits(runOf(unitNoise, roundLimit), privacy?.delta ?? 0).epsilon, manifest);
}

/** A silo's own account, from the number of its own units. Throws JobError `job/bad-manifest`, `job/bad-contribution`. */
export function checkOwnUnits(manifest: JobManifest, units: number): void {
  const { unitNoise, privacy, roundLimit } = manifest;
  if (unitNoise === undefined) return;
  if (BigInt(units) < unitNoise.minUnits)
    throw new JobError(
      'job/bad-contribution',
      `this silo has ${String(units)} ${unitNoise.unitColumn === '' ? 'records' : `different values of ${unitNoise.unitColumn}`}, and the epsilon of the job holds from ${String(unitNoise.minUnits)} on.`,
    );
  demandEpsilon(epsilonOfUnits(runOf(unitNoise, roundLimit, units), privacy?.delta ?? 0).epsilon, manifest);
}

function demandEpsilon(computed: number, { privacy }: JobManifest): void {
  const problems = new Problems();
  problems.require(
    computed <= (privacy?.epsilon ?? 0) * TOLERANCE,
    'privacy.epsilon',
    `at least ${String(computed)}, which is what this noise costs over all rounds`,
  );
  problems.throwIfAny('job/bad-manifest', 'the promise of privacy');
}

/** Only the change of the parameters carries noise, so everything else in the sum must be the same whatever a silo's records are. */
export function whatElseTells({ weightRows, holdoutFraction, method }: Recipe): Problems['list'] {
  const problems = new Problems();
  problems.require(weightRows === 1, 'recipe.weight_rows', '1 in a job with noise: every silo then has the weight 1');
  problems.require(
    holdoutFraction === 0,
    'recipe.holdout_fraction',
    '0 in a job with noise: metrics would travel without any',
  );
  problems.require(
    method.kind === 'plain' || method.kind === 'fed-prox',
    'recipe.method',
    'plain or fed-prox in a job with noise: the others send more than the change of the parameters',
  );
  return problems.list;
}

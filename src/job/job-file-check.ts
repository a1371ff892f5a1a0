// Every check of a job file that needs no manifest: all bad fields at once, with the names that the job file uses.

import { asJobId, asSiloId, LIMITS } from '../base/index.js';
import { graphParameters } from '../privacy/index.js';
import { cohortSizes, contributorsOf, thresholdOf } from './cohort.js';
import { fit, type Job } from './job.js';
import type { JobFile, StatisticsJobFile } from './job-file.js';
import { JOB_LIMITS } from './limits.js';
import type { ManifestFacts } from './manifest-facts.js';
import type { NoiseTerms } from './noise.js';
import { checkUnitNoise } from './unit-noise.js';
import { isPositive, isWhole, Problems } from './problems.js';

/** Longest wait of one phase: a day. */
const MS_MAX = 86_400_000;

export interface Cohort {
  readonly silos: readonly string[];
  readonly maxMalicious: number;
  readonly minCohort: number;
  readonly graph?: { readonly absent: number } | undefined;
}

/** Throws JobError `job/bad-job-file` with every bad field. */
export function checkFile(file: JobFile, facts: ManifestFacts, job: Job, cohort: Cohort): void {
  const problems = new Problems();
  problems.require(asJobId(file.job) !== undefined, 'job', 'lower-case letters, digits and inner hyphens, at most 63');
  const { descriptionLength } = JOB_LIMITS;
  problems.require(
    isWhole(file.description.length, 1, descriptionLength),
    'description',
    `1 to ${String(descriptionLength)} characters for the people who approve the job`,
  );
  checkSilos(cohort, problems);
  checkGraph(cohort, problems);
  const timeouts: Readonly<Record<string, number | undefined>> = { ...file.timeouts };
  for (const [name, ms] of Object.entries(timeouts))
    problems.require(ms === undefined || isWhole(ms, 1, MS_MAX), `timeouts.${name}`, 'milliseconds from 1 to a day');
  problems.addAll(
    '',
    job.kind === 'statistics'
      ? fit(job.kind, undefined, job.contract, job.plan)
      : fit(job.kind, job.recipe, job.contract),
  );
  checkModel(file, facts, problems);
  checkTrain(file, problems);
  if (file.kind === 'statistics') checkStatisticsNoise(file, cohort, problems);
  if (file.kind === 'train') {
    problems.require(isWhole(file.rounds, 1, LIMITS.roundsMax), 'rounds', `1 to ${String(LIMITS.roundsMax)}`);
    checkNoise(file.training.privacy, job, cohort, problems);
    const { unitPrivacy } = file.training;
    if (unitPrivacy !== undefined && job.kind === 'train')
      checkUnitNoise(unitPrivacy, job.recipe, file.data.minRows, problems);
    const noisy = file.training.privacy !== undefined || unitPrivacy !== undefined;
    problems.require(
      !noisy || (facts.model?.statisticCount ?? 0) === 0,
      'model',
      'one without batch normalisation, with privacy: it mixes records, and its running statistics would travel without noise; use GroupNorm or LayerNorm, or leave it out of `model.train`',
    );
    problems.require(
      file.training.statisticsClip === undefined || isPositive(file.training.statisticsClip),
      'training.statisticsClip',
      'a finite number above 0',
    );
    problems.require(isPositive(file.training.clip), 'training.clip', 'a finite number above 0');
    problems.require(
      file.minWeight === undefined || isPositive(file.minWeight),
      'minWeight',
      'a finite number above 0',
    );
    problems.require(isWhole(file.rejectedRoundsLimit ?? 2, 1, 1_000), 'rejectedRoundsLimit', '1 to 1000');
  }
  problems.throwIfAny('job/bad-job-file', 'the job file');
}

function checkGraph({ graph, maxMalicious: c, minCohort: n }: Cohort, problems: Problems): void {
  if (graph === undefined) return;
  const most = n - thresholdOf(n);
  const possible = isWhole(graph.absent, 0, Math.max(0, most));
  problems.require(possible, 'graph.absent', `0 to ${String(most)}: no more of a cohort of ${String(n)} may be absent`);
  problems.require(
    !possible || graphParameters(n, c, graph.absent) !== undefined,
    'graph',
    `\`kind: complete\`: with minCohort ${String(n)}, maxMalicious ${String(c)} and absent ${String(graph.absent)} a regular graph would need all others as neighbours; a larger minCohort, or fewer of the other two, leaves room for one`,
  );
}

function checkTrain(file: JobFile, problems: Problems): void {
  const train = file.kind === 'statistics' ? [] : (file.model.train ?? []);
  const { trainPatternsMax, nameLength } = JOB_LIMITS;
  problems.require(
    train.length <= trainPatternsMax && train.every((pattern) => pattern.length <= nameLength),
    'model.train',
    `at most ${String(trainPatternsMax)} names or patterns of at most ${String(nameLength)} characters`,
  );
  const local = file.kind === 'train' ? (file.model.local ?? []) : [];
  problems.require(
    local.length <= trainPatternsMax && local.every((pattern) => pattern.length <= nameLength),
    'model.local',
    `at most ${String(trainPatternsMax)} names or patterns of at most ${String(nameLength)} characters`,
  );
}

function checkNoise(privacy: NoiseTerms | undefined, job: Job, cohort: Cohort, problems: Problems): void {
  if (privacy === undefined || job.kind !== 'train') return;
  problems.require(isPositive(privacy.noise), 'training.privacy.noise', 'a finite number above 0, in clips on the sum');
  problems.require(
    privacy.delta > 0 && privacy.delta < 1,
    'training.privacy.delta',
    'a probability above 0 and below 1, such as 1e-5',
  );
  problems.require(
    job.recipe.weightRows === 1,
    'training.weightRows',
    '1 with privacy: every silo then has the weight 1, whatever its records',
  );
  problems.require(
    job.recipe.holdoutFraction === 0,
    'evaluation.holdoutFraction',
    '0 with privacy: metrics would travel without noise; measure the model in an evaluation job',
  );
  problems.require(
    job.recipe.method.kind === 'plain' || job.recipe.method.kind === 'fed-prox',
    'training.method',
    'plain or fed-prox with privacy: the others send more than the change of the parameters',
  );
  problems.require(
    contributorsOf(cohort) > 0,
    'maxMalicious',
    'fewer, with privacy: no honest silo but the reader would be sure to add noise',
  );
}

function checkStatisticsNoise({ privacy, statistics }: StatisticsJobFile, cohort: Cohort, problems: Problems): void {
  if (privacy === undefined) return;
  const { noise, epsilon, delta } = privacy;
  problems.require(
    (noise === undefined) !== (epsilon === undefined) && isPositive(noise ?? epsilon ?? 0),
    noise === undefined ? 'privacy.epsilon' : 'privacy.noise',
    'either epsilon, or noise in units of what one record can change: a finite number above 0',
  );
  problems.require(delta > 0 && delta < 1, 'privacy.delta', 'a probability above 0 and below 1, such as 1e-5');
  problems.require(
    statistics === undefined,
    'statistics',
    'none with privacy: only means and standard deviations carry noise, tables and correlations would travel without any',
  );
  problems.require(
    contributorsOf(cohort) > 0,
    'maxMalicious',
    'fewer, with privacy: no honest silo but the reader would be sure to add noise',
  );
}

function checkSilos({ silos, maxMalicious, minCohort }: Cohort, problems: Problems): void {
  const { cohortMin, cohortMax } = LIMITS;
  const range = `${String(cohortMin)} to ${String(cohortMax)}`;
  problems.require(isWhole(silos.length, cohortMin, cohortMax), 'silos', `${range} silos`);
  problems.require(new Set(silos).size === silos.length, 'silos', 'each silo once');
  for (const silo of silos) problems.require(asSiloId(silo) !== undefined, 'silos', `silo ids, which "${silo}" is not`);
  problems.require(
    isWhole(minCohort, cohortMin, silos.length),
    'minCohort',
    `${String(cohortMin)} to the number of silos`,
  );
  problems.require(isWhole(maxMalicious, 0, silos.length), 'maxMalicious', 'a whole number from 0');
  // Silos with a stricter policy may refuse some of these; with none at all nobody could ever take part.
  const possible = cohortSizes({ silos: silos.length, maxMalicious, minCohort, minHonest: 2 });
  problems.require(
    possible.length > 0,
    'maxMalicious',
    `a number for which some cohort of ${String(minCohort)} to ${String(silos.length)} silos is safe (with minCohort)`,
  );
}

function checkModel(file: JobFile, facts: ManifestFacts, problems: Problems): void {
  problems.require(
    (facts.model !== undefined) === (file.kind !== 'statistics'),
    'model',
    file.kind === 'statistics' ? 'nothing in a statistics job' : 'a model that has been read',
  );
  const standardised = file.kind !== 'statistics' && file.model.standardiseBy !== undefined;
  problems.require(
    standardised === (facts.statisticsResultHash !== undefined),
    'model.standardiseBy',
    standardised ? 'a statistics job that has a result' : 'the job that the given result belongs to',
  );
}

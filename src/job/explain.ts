// A manifest in plain words, for the operator of a hospital who decides whether to approve it. Everything is said from the manifest's
// own bytes; nothing of it is taken from whoever sent it.

import { hex } from '../base/index.js';
import { gaussianRho } from '../privacy/index.js';
import { NoiseMechanism, type JobManifest, type SumNoise, type UnitNoise } from '../wire/index.js';
import { cohortSizes, contributorsOf, type CohortSize } from './cohort.js';
import type { Contract, TargetColumn } from './contract.js';
import type { FeatureColumn } from './contract-feature.js';
import { leavesLines } from './explain-segments.js';
import { parseJob, type Job } from './job.js';
import { count } from './counted.js';
import { graphLines, graphRefusal } from './explain-graph.js';
import { methodWords, trainingWords, updateWords } from './explain-recipe.js';

export interface ExplanationSection {
  readonly title: string;
  readonly lines: readonly string[];
}

export interface ExplanationContext {
  /** 32 bytes: what an approval signs. */
  readonly manifestHash: Uint8Array;
  /** The reader's own silo, to be marked among the others. */
  readonly silo?: string;
  /** Names of institutions by silo id, from the roster. */
  readonly organisations?: ReadonlyMap<string, string>;
  /** The silo's own floors. A cohort has to meet these too. */
  readonly policy: {
    readonly minCohort: number;
    readonly minHonest: number;
    readonly maxMalicious: number;
    /** Not said where nobody's policy is meant. */
    readonly graph?: 'complete' | 'regular' | undefined;
  };
}

/** Throws JobError when the parts of the manifest are bad: such a manifest cannot be approved. */
export function explainManifest(manifest: JobManifest, context: ExplanationContext): readonly ExplanationSection[] {
  const job = parseJob(manifest);
  return [
    { title: 'Job', lines: jobLines(manifest, job) },
    { title: 'What is read', lines: readLines(job.contract) },
    { title: 'What leaves this hospital', lines: leavesLines(manifest, job) },
    ...(job.kind === 'statistics' ? [] : [{ title: 'Model', lines: modelLines(manifest, job) }]),
    { title: 'Who takes part', lines: memberLines(manifest, context) },
    { title: 'Privacy', lines: privacyLines(manifest) },
    { title: 'Hashes', lines: hashLines(manifest, context) },
  ].map(({ title, lines }) => ({ title, lines: lines.map(printable) }));
}

/** Text of others goes to a terminal: control characters and changes of direction could make it say something else. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ');
}

function jobLines(manifest: JobManifest, job: Job): string[] {
  const rounds = count(manifest.roundLimit, 'round');
  const closing = manifest.closingLayout === undefined ? '' : ', and one more that measures the final model';
  const rule = job.kind === 'train' ? job.recipe.earlyStopping : undefined;
  const early =
    rule === undefined
      ? []
      : [
          `It ends before that, without measuring the final model, when ${rule.metric} has not become better by more than ${String(rule.minimumImprovement)} for ${count(rule.patience, 'round')}.`,
        ];
  const what = {
    train: `Trains a model in up to ${rounds}${closing}.`,
    evaluate: 'Measures one model, in one round.',
    statistics: 'Sums up columns to get means and standard deviations, in one round.',
  }[job.kind];
  return [`${manifest.jobId}: ${what}`, ...early, manifest.description];
}

function readLines({ dataSet, features, target, missing, minRows, maxRows, unitColumn }: Contract): string[] {
  return [
    `Data set ${dataSet}, by the query in this hospital’s own configuration. Other columns are not read.`,
    ...alike(features).map((words) => `  ${words}`),
    ...(target === undefined ? ['No outcome is read.'] : [`Outcome: ${targetWords(target)}.`]),
    missing === 'refuse'
      ? 'A missing value stops this hospital’s part until it is resolved.'
      : 'Records with a missing value are left out.',
    ...new Set(features.flatMap(missingWords)),
    ...(unitColumn === undefined
      ? []
      : [`${unitColumn}: only to tell which records are of one patient; it is kept in memory and never sent.`]),
    `Between ${String(minRows)} and ${String(maxRows)} records; with fewer this hospital does not take part.`,
  ];
}

/** A run of columns that differ in their number only is one line: a picture has thousands. */
function alike(features: readonly FeatureColumn[]): string[] {
  const lines: { words: string; name: string; rest: string; first: number; last: number }[] = [];
  for (const feature of features) {
    const words = featureWords(feature);
    const [, name = '', number = ''] = /^(.*?)(0|[1-9]\d{0,5})$/.exec(feature.column) ?? [];
    const rest = words.slice(feature.column.length);
    const run = lines.at(-1);
    if (run !== undefined && number !== '' && run.name === name && run.rest === rest && run.last + 1 === Number(number))
      run.last++;
    else lines.push({ words, name, rest, first: Number(number), last: Number(number) });
  }
  return lines.map(({ words, name, rest, first, last }) =>
    last - first < 2 && first !== last
      ? `${name}${String(first)}${rest}; ${name}${String(last)}${rest}`
      : first === last
        ? words
        : `${name}${String(first)} to ${name}${String(last)}${rest}`,
  );
}

function featureWords({ column, minimum, maximum, unit, categories }: FeatureColumn): string {
  if (categories !== undefined) return `${column}: ${categories.join(', ')}`;
  return `${column}: ${String(minimum)} to ${String(maximum)}${unit === '' ? '' : ` (${unit})`}`;
}

/** Where a column has a rule of its own. */
function missingWords({ column, missing, categories }: FeatureColumn): string[] {
  if (missing === undefined) return [];
  if (missing === 'refuse') return [`A missing ${column} stops this hospital’s part.`];
  if (missing === 'drop-row') return [`Records without ${column} are left out.`];
  return [`A missing ${column} is taken to be ${categories?.[missing.fill] ?? String(missing.fill)}.`];
}

function targetWords(target: TargetColumn): string {
  switch (target.kind) {
    case 'binary':
      return `${target.column}, 0 or 1`;
    case 'classes':
      return `${target.column}, one of ${String(target.classes)} classes`;
    case 'real':
      return `${target.column}, ${String(target.minimum)} to ${String(target.maximum)}`;
    case 'survival':
      return `time ${target.column}, above 0 and up to ${String(target.maximum)}, and ${target.eventColumn}, 1 when the event was seen then`;
  }
}

function modelLines(manifest: JobManifest, job: Exclude<Job, { kind: 'statistics' }>): string[] {
  const { forwardModel, standardiseBy, train, local } = manifest;
  const lines = [
    `The forward model is a file of ${String(forwardModel?.size ?? 0n)} bytes; this hospital checks it and builds the training graph itself.`,
    standardiseBy === undefined
      ? 'Features are used as they are.'
      : `Features are standardised by the result of job ${standardiseBy.jobId}.`,
    ...(train.length === 0
      ? []
      : [`Only these parameters are in the sum, all others keep the values of the file: ${train.join(', ')}.`]),
    ...(local.length === 0
      ? []
      : [
          `These parameters never leave this hospital, which trains and keeps its own: ${local.join(', ')}. The model is measured with them.`,
        ]),
  ];
  if (job.kind === 'evaluate') return [...lines, `Loss: ${job.recipe.loss.kind}.`];
  return [...lines, ...trainingWords(job.recipe), ...methodWords(job.recipe.method), updateWords(job.update)];
}

function memberLines(manifest: JobManifest, { silo, organisations, policy }: ExplanationContext): string[] {
  const { silos } = manifest;
  const maxMalicious = Math.max(manifest.maxMalicious, policy.maxMalicious);
  const minCohort = Math.max(manifest.minCohort, policy.minCohort);
  const sizes = cohortSizes({
    silos: silos.length,
    maxMalicious,
    minCohort,
    minHonest: policy.minHonest,
    graph: manifest.graph,
  });
  const refusal = policy.graph === undefined ? undefined : graphRefusal(manifest, policy);
  const raised = maxMalicious > manifest.maxMalicious || minCohort > manifest.minCohort;
  return [
    ...silos.map((id) => {
      const organisation = organisations?.get(id);
      return `  ${id}${organisation === undefined ? '' : `, ${organisation}`}${id === silo ? ' (this hospital)' : ''}`;
    }),
    maxMalicious === 0
      ? 'None of them may be malicious: this job protects against the coordinator alone.'
      : `Up to ${String(maxMalicious)} of the ${String(silos.length)} may be malicious and collude with the coordinator.`,
    `A sum is opened only over ${String(minCohort)} hospitals or more.`,
    ...(raised ? ['These numbers are this hospital’s own policy, which is stricter than the job.'] : []),
    ...(sizes.length === 0
      ? ['No number of hospitals satisfies both the job and this hospital’s policy: it would never take part.']
      : sizes.map(sizeWords)),
    ...graphLines(manifest),
    ...(refusal === undefined ? [] : [`This hospital would take no part: ${refusal}`]),
  ];
}

function sizeWords({ silos, mayBeAbsent, honestInputs }: CohortSize): string {
  const absent =
    mayBeAbsent === 0 ? 'all must stay to the end' : `${String(mayBeAbsent)} may drop out before the sum is opened`;
  return `  A round of ${String(silos)}: ${absent}; at least ${String(honestInputs)} honest inputs are in the sum.`;
}

function privacyLines(manifest: JobManifest): string[] {
  const { privacy, roundLimit } = manifest;
  const epsilon = privacy?.epsilon ?? 0;
  if (epsilon === 0)
    return [
      'No differential privacy noise is added. What is opened is an exact sum, up to rounding; the ledger counts its uses.',
      'The sum itself can tell something about the records in it. Every hospital can subtract its own part from it.',
    ];
  const rounds = count(roundLimit, 'round');
  if (manifest.unitNoise !== undefined) return unitNoiseLines(manifest, manifest.unitNoise);
  if (manifest.noise !== undefined && manifest.noise.recordSensitivity > 0)
    return [
      `Opening this sum costs epsilon ${epsilon.toPrecision(4)} at delta ${String(privacy?.delta ?? 0)}. The unit is one record.${concentrated(manifest.noise)}`,
      `Every hospital adds its share of noise to the number of records and to all sums before they are masked; what ${count(contributorsOf(manifest), 'other honest hospital')} surely add is enough.`,
    ];
  return [
    `All ${rounds} together cost epsilon ${epsilon.toPrecision(4)} at delta ${String(privacy?.delta ?? 0)}. The unit is this hospital with all its records.`,
    `Every hospital adds its share of noise to the change of the parameters before it is masked; what ${count(contributorsOf(manifest), 'other honest hospital')} surely add is enough.`,
    ...(manifest.noise?.rotated === true
      ? [
          'Before that it is turned by a public rotation and rounded so that its length stays: numbers are then small, and so are uploads.',
        ]
      : []),
    'Statistics jobs, evaluations and standardisation are not part of this number.',
  ];
}

/** What is left of rho for other sums is easier to see than of epsilon: rhos add up. */
function concentrated({ mechanism, recordSensitivity, variance }: SumNoise): string {
  if (mechanism !== NoiseMechanism.NOISE_MECHANISM_DISCRETE_GAUSSIAN) return '';
  return ` In zero-concentrated terms: rho ${gaussianRho(recordSensitivity, Math.sqrt(variance)).toPrecision(4)}.`;
}

function unitNoiseLines({ privacy, roundLimit }: JobManifest, noise: UnitNoise): string[] {
  const { unitColumn, clip, noise: sigma, batch, minUnits, steps } = noise;
  const one = unitColumn === '' ? 'record' : `patient (all records with the same ${unitColumn})`;
  const many = unitColumn === '' ? 'records' : 'patients';
  const least = String(minUnits);
  return [
    `All ${count(roundLimit, 'round')} together cost epsilon ${(privacy?.epsilon ?? 0).toPrecision(4)} at delta ${String(privacy?.delta ?? 0)}. The unit is one ${one}.`,
    `In each of ${count(steps * roundLimit, 'step')} this hospital draws every ${unitColumn === '' ? 'record' : 'patient'} with a chance of ${String(batch)} in the number of its ${many}, cuts each gradient to the length ${String(clip)} and adds noise of ${String(sigma)} times that to their sum, before anything is masked or sent.`,
    `This holds from ${least} ${many} on; with fewer this hospital does not take part. How many ${many} it has is not protected.`,
    'It holds against everybody who sees this hospital’s own change of the parameters, not only the sum, and does not rest on other hospitals.',
    'Statistics jobs, evaluations and standardisation are not part of this number.',
  ];
}

function hashLines(manifest: JobManifest, { manifestHash }: ExplanationContext): string[] {
  const { forwardModel, standardiseBy, reopenedKeys } = manifest;
  return [
    `manifest  ${hex(manifestHash)}`,
    `roster    ${hex(manifest.rosterHash)}`,
    ...(forwardModel === undefined ? [] : [`model     ${hex(forwardModel.sha256)}`]),
    `start     ${hex(manifest.initialModelHash)}`,
    ...(standardiseBy === undefined ? [] : [`statistics result  ${hex(standardiseBy.resultHash)}`]),
    ...(reopenedKeys.length === 0
      ? []
      : [`Approving this also allows ${count(reopenedKeys.length, 'earlier input')} to be opened once more.`]),
    manifest.fullVerification
      ? 'Every hospital verifies every result in full.'
      : 'A hospital may verify a private random tenth of each result, and says so.',
  ];
}

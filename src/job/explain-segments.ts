// What leaves a hospital, segment by segment, in plain words.

import { Visibility, type JobManifest, type Segment } from '../wire/index.js';
import type { Job } from './job.js';
import { holdoutParts } from './holdout-parts.js';
import { COARSE_WEIGHT_STEPS, SEGMENT } from './layout.js';
import { leftOutName, sliceColumns, sliceName } from './slices.js';
import { tablesOf } from './statistics-tables.js';

/** One line for each segment of the manifest's layout, known or not, and what surrounds them. */
export function leavesLines({ layout, modulusBits }: JobManifest, job: Job): string[] {
  const segments = layout?.segments ?? [];
  const numbers = segments.reduce((sum, { length }) => sum + length, 0n);
  return [
    `${String(numbers)} whole numbers of ${String(modulusBits)} bits a round, each masked: alone they are random to everybody else.`,
    'Only the sum over all hospitals of the round can be opened. It holds:',
    ...segments.map((segment) => `  ${segment.name} (${String(segment.length)}): ${meaning(segment, job)}`),
    ...holdoutLines(segments, job),
  ];
}

function meaning(segment: Segment, job: Job): string {
  switch (segment.name) {
    case SEGMENT.delta:
      return `the change of each model parameter, its L2 norm cut at ${clipOf(segment)}, times the weight`;
    case SEGMENT.runningStatistics:
      return `the change of each running mean and variance of batch normalisation, times the weight, each cut at ${clipOf(segment)}`;
    case SEGMENT.control:
      return `the change of this hospital’s control variates, their L2 norm cut at ${clipOf(segment)}, times the weight`;
    case SEGMENT.norm:
      return 'length of this hospital’s change, times the weight: shows whether hospitals pull the same way';
    case SEGMENT.reach:
      return 'how far this hospital’s number of local steps reaches, times the weight';
    case SEGMENT.weight:
      return weightMeaning(segment, job);
    case SEGMENT.holdoutRows:
      return 'number of records kept apart to measure the model';
    case SEGMENT.holdoutLoss:
      return 'sum of their losses';
    case SEGMENT.holdoutCorrect:
      return 'how many of them the model gets right';
    case SEGMENT.holdoutPositive:
      return 'how the scores of those with outcome 1 are distributed';
    case SEGMENT.holdoutNegative:
      return 'how the scores of those with outcome 0 are distributed';
    case SEGMENT.holdoutAbsoluteError:
      return 'sum of the distances between prediction and outcome';
    case SEGMENT.holdoutSquaredError:
      return 'sum of the squares of these distances';
    case SEGMENT.holdoutTarget:
      return 'sum of the outcomes of the records kept apart, above their declared minimum';
    case SEGMENT.holdoutTargetSquares:
      return 'sum of the squares of these outcomes';
    case SEGMENT.holdoutEvents:
      return 'how many of those with an event there are for each part of time and of predicted hazard';
    case SEGMENT.holdoutCensored:
      return 'how many of those without an event there are for each part of time and of predicted hazard';
    case SEGMENT.rows:
      return 'number of records';
    case SEGMENT.sum:
      return 'sum of each column, scaled to its declared range';
    case SEGMENT.sumOfSquares:
      return 'sum of the squares of each column, scaled to its declared range';
    case SEGMENT.cells:
      return `counts of records: ${tableWords(job)}; those below this hospital’s policy.smallCells are left out`;
    case SEGMENT.cellsLeftOut:
      return 'which of these counts this hospital left out; the sum tells how many hospitals did';
    case SEGMENT.products:
      return `sum of the products of each two of ${job.kind === 'statistics' ? job.plan.correlations.join(', ') : 'them'}, for a correlation matrix`;
    case SEGMENT.saturated:
      return 'how many of these numbers had to be cut';
    default:
      return sliceMeaning(segment.name, job) ?? 'NOT KNOWN to this version: do not approve';
  }
}

function sliceMeaning(name: string, job: Job): string | undefined {
  if (job.kind === 'statistics') return undefined;
  for (const { column, categories } of sliceColumns(job.recipe, job.contract)) {
    const groups = categories.join(', ');
    if (name === leftOutName(column))
      return `which categories of ${column} this hospital left out; the sum tells how many hospitals did`;
    if (holdoutParts(job).some((part) => name === sliceName(column, part.name)))
      return `the same as holdout.${name.slice(sliceName(column, '').length)} for the records with ${column} ${groups}, each by itself; those with fewer records than this hospital’s policy.minimumHoldout are left out`;
  }
  return undefined;
}

function tableWords(job: Job): string {
  if (job.kind !== 'statistics') return '';
  return tablesOf(job.plan, job.contract)
    .map(({ kind, columns }) => {
      switch (kind) {
        case 'histogram':
          return `histogram of ${columns.join()}`;
        case 'contingency':
          return columns.join(' by ');
        case 'missing':
          return 'missing values of each column';
        case 'survival':
          return columns.length === 0 ? 'times and events' : `times and events by ${columns.join()}`;
      }
    })
    .join('; ');
}

function clipOf({ quantiser }: Segment): string {
  return quantiser?.$case === 'real' ? String(quantiser.value.clip) : 'no bound';
}

function weightMeaning({ visibility }: Segment, job: Job): string {
  const rows = job.kind === 'train' ? String(job.recipe.weightRows) : '';
  const coarse = visibility === Visibility.VISIBILITY_COARSE;
  return (
    `this hospital’s weight, 1 from ${rows} records on` +
    (coarse
      ? `, rounded to ${String(COARSE_WEIGHT_STEPS)}ths`
      : ', exact: comparing two rounds can tell its number of records')
  );
}

/** Counts of the same hold-out part come back in each round: docs/protocol.md §2.5. */
function holdoutLines(segments: readonly Segment[], job: Job): string[] {
  if (job.kind !== 'train' || !segments.some(({ name }) => name === SEGMENT.holdoutRows)) return [];
  const share = `${String(Math.round(job.recipe.holdoutFraction * 100))} %`;
  return [
    `About ${share} of the records are kept apart to measure the model; they are never trained on.`,
    'When this hospital alone is absent from a round, the difference of two sums tells its number of records kept apart and about how well the model does on them.',
  ];
}

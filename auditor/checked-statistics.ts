// The statistics that standardise a model: read from the opened sum of a statistics job, after everything that vouches for it was
// checked. Every silo does the same and compares the model that follows.

import { equalBytes, type Hash } from '../src/base/index.js';
import {
  parseJob,
  readStatistics,
  readStatisticsReport,
  type ColumnStatistics,
  type FeatureColumn,
  type StatisticsReport,
} from '../src/job/index.js';
import { sumHasher, type Manifest } from '../src/protocol/index.js';
import { JobKind, Outcome } from '../src/wire/index.js';
import { badAnswer, fetchCheckedRound, fetchManifest, type CheckedRound } from './checked-round.js';
import { AuditError } from './errors.js';
import { gather } from './gather.js';
import type { Session } from './session.js';

export interface CheckedStatistics {
  readonly statistics: ColumnStatistics;
  readonly resultHash: Hash;
}

/** A statistics job has one round. */
const ONLY_ROUND = 1;

/** `features`: the columns that are to be standardised. Throws AuditError, and what `fetchCheckedRound` throws. */
export async function fetchStatistics(
  { client, roster }: Pick<Session, 'client' | 'roster'>,
  jobId: string,
  features: readonly FeatureColumn[],
): Promise<CheckedStatistics> {
  const manifest = await fetchManifest(client, roster, jobId);
  if (manifest.message.kind !== JobKind.JOB_KIND_STATISTICS)
    throw new AuditError(
      'audit/not-statistics',
      `job "${jobId}" is to standardise features and computes no statistics.`,
    );
  const { contract } = parseJob(manifest.message);
  const wanted = features.map(({ column }) => column);
  const given = contract.features.map(({ column }) => column);
  const differs = wanted.findIndex((column, i) => column !== given[i]);
  if (wanted.length !== given.length || differs >= 0)
    throw new AuditError(
      'audit/other-columns',
      differs < 0
        ? `this job has ${String(wanted.length)} features, job "${jobId}" has statistics of ${String(given.length)}.`
        : `feature ${String(differs + 1)} of this job is ${wanted[differs] ?? ''}, of job "${jobId}" ${given[differs] ?? 'nothing'}.`,
    );
  const { round, values } = await fetchResult({ client, roster }, manifest);
  const statistics = readStatistics({ layout: manifest.layout, values }, contract, round.survivors);
  return { statistics, resultHash: round.resultHash };
}

export interface CheckedReport {
  readonly report: StatisticsReport;
  readonly resultHash: Hash;
}

/** Everything that a statistics job has summed. Throws AuditError, and what `fetchCheckedRound` throws. */
export async function fetchReport(
  session: Pick<Session, 'client' | 'roster'>,
  manifest: Manifest,
): Promise<CheckedReport> {
  const job = parseJob(manifest.message);
  if (job.kind !== 'statistics')
    throw new AuditError('audit/not-statistics', `job "${manifest.jobId}" computes no statistics.`);
  const { round, values } = await fetchResult(session, manifest);
  const report = readStatisticsReport({ layout: manifest.layout, values }, job.contract, job.plan, round.survivors);
  return { report, resultHash: round.resultHash };
}

async function fetchResult(
  { client, roster }: Pick<Session, 'client' | 'roster'>,
  manifest: Manifest,
): Promise<{ readonly round: CheckedRound; readonly values: Int32Array }> {
  const round = await fetchCheckedRound(client, roster, manifest, ONLY_ROUND);
  if (round.result.outcome !== Outcome.OUTCOME_APPLIED)
    throw new AuditError(
      'audit/no-result',
      `the sum of job "${manifest.jobId}" was rejected by its silos and has no meaning.`,
    );
  return { round, values: await fetchSum({ client }, round) };
}

/** The opened sum, which must hash to what the signed result says. */
async function fetchSum(
  { client }: Pick<Session, 'client'>,
  { manifest, plan, result }: CheckedRound,
): Promise<Int32Array> {
  const { length } = manifest.layout;
  const bytes = await gather(client.exportSum({ jobId: plan.jobId, round: plan.round }), 4 * length);
  if (bytes?.length !== 4 * length)
    throw badAnswer(
      `the opened sum has ${String(length)} words of 4 bytes, ${bytes === undefined ? 'more' : `${String(bytes.length)} bytes`} came.`,
    );
  if (!equalBytes(sumHasher('opened').update(bytes).digest(), result.openedHash))
    throw badAnswer('the opened sum that came is not the one in the signed result.');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Int32Array.from({ length }, (_, i) => view.getInt32(4 * i, true));
}

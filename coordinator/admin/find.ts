// Jobs, rounds and silos by the names that callers give, or why there is none.

import { asJobId, asSiloId, type SiloId } from '../../src/base/index.js';
import { lastRound, type ClosedRound, type CoordinatorJob, type CoordinatorRound } from '../../src/protocol/index.js';
import { AdminError } from './errors.js';
import { roundOf, roundsOf } from './round-view.js';
import type { AdminSource } from './source.js';

/** Throws AdminError `admin/no-job`. */
export function jobNamed(source: Pick<AdminSource, 'state'>, jobId: string): CoordinatorJob {
  const known = asJobId(jobId);
  const job = known === undefined ? undefined : source.state().jobs.get(known);
  if (job === undefined) throw new AdminError('admin/no-job', `there is no job "${jobId.slice(0, 80)}".`);
  return job;
}

/** Throws AdminError `admin/no-round`. */
export function roundNamed(job: CoordinatorJob, number: number): ClosedRound | CoordinatorRound {
  const round = roundOf(job, number);
  if (round === undefined)
    throw new AdminError(
      'admin/no-round',
      `job "${job.manifest.jobId}" has had ${String(roundsOf(job))} of ${String(lastRound(job.manifest))} rounds, there is no round ${String(number)}.`,
    );
  return round;
}

/** Throws AdminError `admin/no-silo`. */
export function siloNamed(source: Pick<AdminSource, 'state'>, siloId: string): SiloId {
  const silo = asSiloId(siloId);
  if (silo === undefined || !source.state().self.roster.members.has(silo))
    throw new AdminError('admin/no-silo', `the roster has no silo "${siloId.slice(0, 80)}".`);
  return silo;
}

export interface RoundRange {
  readonly firstRound: number;
  readonly lastRound: number;
}

/** Whether a round lies in the range; 0 leaves an end open. Throws AdminError `admin/bad-filter`. */
export function inRange({ firstRound, lastRound: last }: RoundRange): (round: number) => boolean {
  if (last !== 0 && last < firstRound)
    throw new AdminError('admin/bad-filter', `the range ends with round ${String(last)}, before it begins.`);
  return (round) => round >= firstRound && (last === 0 || round <= last);
}

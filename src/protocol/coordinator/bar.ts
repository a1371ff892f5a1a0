// A silo that was proven to have broken the protocol: nothing of it is taken any more in this job. It stays in the cohort, where it counts
// among the absent, so that one bad silo cannot make the others too few.

import type { Envelope } from '../../wire/index.js';
import type { Exhibits } from '../exhibits.js';
import { demand } from '../rejection.js';
import type { Located } from './change.js';

/** The first proof counts. The edits that follow start from what this returns. */
export function bar(
  found: Located,
  index: number,
  code: string,
  evidence: readonly (Envelope | undefined)[],
  exhibits?: Exhibits,
): Located {
  const { job, round } = found;
  const silo = round.plan.cohort[index];
  if (silo === undefined || job.barred.has(silo)) return found;
  const barred = new Map(job.barred).set(silo, {
    code,
    round: round.plan.round,
    evidence: evidence.filter((one) => one !== undefined),
    exhibits,
  });
  const notes = [...round.notes, `${silo} is barred from the job: ${code}`];
  return { ...found, job: { ...job, barred }, round: { ...round, notes } };
}

export function demandNotBarred(found: Located, index: number): void {
  const silo = found.round.plan.cohort[index];
  demand(
    silo === undefined || !found.job.barred.has(silo),
    'message/barred',
    `${silo ?? ''} is barred from this job.`,
    'membership',
  );
}

// The differencing guard (docs/protocol.md §3): what the difference of this sum and the last ones like it would tell about one silo, or
// about what changed in its records. The input rule speaks of equal inputs; this speaks of inputs that are nearly equal, such as the
// hold-out counts and updates of successive rounds. Sums whose noise protects whole silos need no guard: their epsilon covers every difference.

import { equalBytes, LIMITS, type SiloId } from '../../base/index.js';
import { JobKind } from '../../wire/index.js';
import { siloAt } from '../check/context.js';
import type { SurvivorSet } from '../check/survivors.js';
import { unitOf } from '../ledger.js';
import type { Plan } from '../plan.js';
import { demand } from '../rejection.js';
import type { Located } from './change.js';
import type { SiloEffect } from './event.js';
import { isolatedBy } from './isolation.js';
import type { JobState, LastSum, OpenRound, SiloState } from './state.js';

/** Sums under one name are compared with each other; undefined for a job whose noise protects each silo. */
function nameOf({ manifest, dataSet }: JobState): string | undefined {
  if (unitOf(manifest) === 'silo') return undefined;
  if (manifest.message.kind === JobKind.JOB_KIND_TRAIN) return `train/${manifest.jobId}`;
  return manifest.message.kind === JobKind.JOB_KIND_STATISTICS ? `statistics/${dataSet}` : `evaluate/${dataSet}`;
}

/** What the sum over these survivors would isolate, in words; undefined when nothing. */
export function isolated(state: SiloState, { job, open }: Located, survivors: SurvivorSet): string | undefined {
  const name = nameOf(job);
  const { jobId, round } = open.plan;
  const sums = (name === undefined ? undefined : state.lastSums.get(name)) ?? [];
  const before = sums.filter((sum) => sum.jobId !== jobId || sum.round !== round);
  // A sum that is looked at again is among them itself.
  const last = sums.at(-1) === before.at(-1) ? before.at(-1) : undefined;
  if (last === undefined) return undefined;
  const silos = [...survivors.members.keys()].map((index) => siloAt(open.attempt.context, index));
  const apart = [
    ...silos.filter((silo) => !last.silos.includes(silo)),
    ...last.silos.filter((silo) => !silos.includes(silo)),
  ];
  const like = `the last sum like it (${placeOf(last)})`;
  if (apart.length === 1)
    return `this sum and ${like} differ by ${String(apart[0])} alone: their difference tells about that one hospital.`;
  const { contribution } = open;
  const changed =
    contribution.kind === 'ready' &&
    last.dataSetVersion.length > 0 &&
    !equalBytes(contribution.dataSetVersion, last.dataSetVersion);
  if (apart.length === 0 && changed && job.manifest.message.kind === JobKind.JOB_KIND_STATISTICS)
    return `this sum and ${like} are of the same hospitals, and this hospital's records have changed in between: the difference tells about the records that changed.`;
  return apart.length === 0 ? undefined : bySeveral(before, silos);
}

/** What no two sums tell, and several do: such as those over all, all but {0, 1}, all but {0, 2} and all but {1, 2}. */
function bySeveral(before: readonly LastSum[], silos: readonly SiloId[]): string | undefined {
  const sets = before.map((sum) => sum.silos);
  const known = new Set(isolatedBy(sets));
  const fresh = isolatedBy([...sets, silos]).filter((silo) => !known.has(silo));
  if (fresh.length === 0) return undefined;
  const whom = `${fresh.slice(0, 3).join(', ')}${fresh.length > 3 ? ` and ${String(fresh.length - 3)} more` : ''}`;
  return `this sum and the last ${String(before.length)} like it (since ${placeOf(before[0])}) tell, taken together, about ${whom} alone.`;
}

function placeOf(sum: LastSum | undefined): string {
  return `round ${String(sum?.round)} of job "${sum?.jobId ?? ''}"`;
}

/** Throws Refusal `confirm/differencing` where the silo's own policy refuses what others are only warned of. */
export function demandNoDifference(state: SiloState, found: Located, survivors: SurvivorSet): void {
  if (state.self.policy.differencing !== 'refuse') return;
  const what = isolated(state, found, survivors);
  demand(what === undefined, 'confirm/differencing', what ?? '');
}

/** The warning to this silo's operator, where there is something to warn of. */
export function differenceWarned(state: SiloState, found: Located, survivors: SurvivorSet): SiloEffect[] {
  const detail = isolated(state, found, survivors);
  const { jobId, round } = found.open.plan;
  return detail === undefined ? [] : [{ kind: 'notice', jobId, round, code: 'confirm/differencing', detail }];
}

/** A sum over these cohort indices is open, or has to be taken for open. */
export function recordSum(
  state: SiloState,
  job: JobState,
  plan: Plan,
  open: OpenRound | undefined,
  survivors: Iterable<number>,
): SiloState {
  const name = nameOf(job);
  if (name === undefined) return state;
  const silos: SiloId[] = [...survivors].flatMap((index) => plan.cohort[index] ?? []);
  const dataSetVersion = open?.contribution.kind === 'ready' ? open.contribution.dataSetVersion : new Uint8Array();
  const sum: LastSum = { jobId: plan.jobId, round: plan.round, silos, dataSetVersion };
  // Of sums over the same silos the newest is enough: the others tell nothing more.
  const others = (state.lastSums.get(name) ?? []).filter((other) => !sameSilos(other.silos, silos));
  return { ...state, lastSums: new Map(state.lastSums).set(name, [...others, sum].slice(-LIMITS.sumsCompared)) };
}

/** Both are in the order of their cohorts, which is that of names. */
function sameSilos(one: readonly SiloId[], other: readonly SiloId[]): boolean {
  return one.length === other.length && one.every((silo, k) => silo === other[k]);
}

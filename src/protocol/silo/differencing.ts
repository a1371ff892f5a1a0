// The differencing guard (docs/protocol.md §3): what the difference of this sum and the last one like it would tell about one silo, or
// about what changed in its records. The input rule speaks of equal inputs; this speaks of inputs that are nearly equal, such as the
// hold-out counts and updates of successive rounds. Sums with noise need no guard: their epsilon covers every difference.

import { equalBytes, type SiloId } from '../../base/index.js';
import { JobKind } from '../../wire/index.js';
import { siloAt } from '../check/context.js';
import type { SurvivorSet } from '../check/survivors.js';
import type { Plan } from '../plan.js';
import { demand } from '../rejection.js';
import type { Located } from './change.js';
import type { SiloEffect } from './event.js';
import type { JobState, LastSum, OpenRound, SiloState } from './state.js';

/** Sums under one name are looked at in pairs, each with the one before; undefined for a job whose sums carry noise. */
function nameOf({ manifest, dataSet }: JobState): string | undefined {
  if (manifest.noise !== undefined || manifest.unitNoise !== undefined) return undefined;
  if (manifest.message.kind === JobKind.JOB_KIND_TRAIN) return `train/${manifest.jobId}`;
  return manifest.message.kind === JobKind.JOB_KIND_STATISTICS ? `statistics/${dataSet}` : `evaluate/${dataSet}`;
}

/** What the sum over these survivors would isolate, in words; undefined when nothing. */
export function isolated(state: SiloState, { job, open }: Located, survivors: SurvivorSet): string | undefined {
  const name = nameOf(job);
  const last = name === undefined ? undefined : state.lastSums.get(name);
  if (last === undefined || (last.jobId === open.plan.jobId && last.round === open.plan.round)) return undefined;
  const silos = [...survivors.members.keys()].map((index) => siloAt(open.attempt.context, index));
  const apart = [
    ...silos.filter((silo) => !last.silos.includes(silo)),
    ...last.silos.filter((silo) => !silos.includes(silo)),
  ];
  const before = `the last sum like it (round ${String(last.round)} of job "${last.jobId}")`;
  if (apart.length === 1)
    return `this sum and ${before} differ by ${String(apart[0])} alone: their difference tells about that one hospital.`;
  const { contribution } = open;
  const changed =
    contribution.kind === 'ready' &&
    last.dataSetVersion.length > 0 &&
    !equalBytes(contribution.dataSetVersion, last.dataSetVersion);
  if (apart.length === 0 && changed && job.manifest.message.kind === JobKind.JOB_KIND_STATISTICS)
    return `this sum and ${before} are of the same hospitals, and this hospital's records have changed in between: the difference tells about the records that changed.`;
  return undefined;
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
  return { ...state, lastSums: new Map(state.lastSums).set(name, sum) };
}

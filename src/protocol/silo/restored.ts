// A disk that was set back has lost charges and openings; what the log and the results know of them comes back (docs/protocol.md §4.5), so
// that the ledger is the larger of the silo's own and the log's, and the input rule misses nothing.

import { hex } from '../../base/index.js';
import { indexIn, type Plan } from '../plan.js';
import { withJob } from './change.js';
import { charged } from './ledger.js';
import type { Forgotten, JobState, Opening, OpenRound, SiloState } from './state.js';
import { roundKey } from './witness.js';

/** Whether a sum of these survivors holds an input of this silo that its journal never let leave. */
export function isForgotten(
  state: SiloState,
  job: JobState,
  plan: Plan,
  survivors: ReadonlyMap<number, unknown>,
): boolean {
  const index = indexIn(plan, state.self.siloId);
  return index !== undefined && survivors.has(index) && !hasCharged(job.open);
}

/** What the log knows of this silo in a round and its journal does not. */
export function forgottenIn({ witness }: SiloState, { jobId, round }: Plan): Forgotten | undefined {
  return witness.forgotten.get(roundKey(jobId, round));
}

/** A verified result with a forgotten input: charged, and opened with these survivors under the keys that the records give. */
export function restoredByResult(
  state: SiloState,
  job: JobState,
  plan: Plan,
  keys: readonly Uint8Array[],
  survivors: readonly number[],
): SiloState {
  const silos = survivors.flatMap((index) => plan.cohort[index] ?? []);
  const { jobId, round, rid, n, graph } = plan;
  return opened(charge(state, job, plan), keys, { jobId, round, rid, attempt: 0, n, graph, silos });
}

/** An abandoned round in which a forgotten input may have been opened: charged, and counted as opened when its keys are known again. */
export function restoredByAbandon(state: SiloState, job: JobState, plan: Plan): SiloState {
  const forgotten = forgottenIn(state, plan);
  if (forgotten?.summed !== true || hasCharged(job.open)) return state;
  const paid = charge(state, job, plan);
  const { survivors: silos, attempt } = forgotten;
  if (silos.length === 0) return paid;
  const { jobId, round, rid, n, graph } = plan;
  const forgottenSums = [...(job.forgottenSums ?? []), { jobId, round, rid, attempt, n, graph, silos }];
  return withJob(paid, { ...job, forgottenSums });
}

/** The keys of this round's input are those of the abandoned ones before it: its model is theirs. */
export function restoredByKeys(state: SiloState, job: JobState, keys: readonly Uint8Array[]): SiloState {
  let next = state;
  for (const sum of job.forgottenSums ?? []) next = opened(next, keys, sum);
  return next;
}

function hasCharged(open: OpenRound | undefined): boolean {
  return open?.contribution.kind === 'ready' && open.contribution.charged !== undefined;
}

function charge(state: SiloState, { dataSet, manifest }: JobState, { round }: Plan): SiloState {
  return dataSet === '' ? state : charged(state, dataSet, manifest, round);
}

function opened(state: SiloState, keys: readonly Uint8Array[], opening: Opening): SiloState {
  const openings = new Map(state.openings);
  for (const key of keys) openings.set(hex(key), [...(openings.get(hex(key)) ?? []), opening]);
  return { ...state, openings };
}

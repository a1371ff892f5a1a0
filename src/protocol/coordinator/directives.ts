// What each silo is told: a function of the state alone, so that it is the same after a reconnect and after a restart. Numbers grow
// with the event that gave rise to a directive; a silo that says where it was gets only what came later.

import { equalBytes, LIMITS, type SiloId } from '../../base/index.js';
import type { BlobRef, Directive, Envelope } from '../../wire/index.js';
import type { Fingerprints } from '../check/survivors.js';
import { indexIn } from '../plan.js';
import { proofsOf } from '../proof.js';
import { inOrder } from './change.js';
import { checkpointOf, noteOf } from './log.js';
import type { ClosedRound, CoordinatorAttempt, CoordinatorJob, CoordinatorRound, CoordinatorState } from './state.js';
import { toBitmap } from '../bitmap.js';

type Body = NonNullable<Directive['body']>;

// One event can give rise to several directives for a silo: shares, and that they are closed; a late approval, to all closed rounds.
const PER_EVENT = BigInt(2 ** 20);
// Above the slots of a single event: a place for each round and for a rollback after it, then one for the end of the job.
const CATCH_UP = 16;
const JOB_END = CATCH_UP + 2 * (LIMITS.roundsMax + 2);
const LAST_SLOT = Number(PER_EVENT) - 1;

/** Where the inputs of missing members are to be had: the runtime knows the blobs of y_i. */
export type MissingInputs = (round: ClosedRound) => BlobRef[];

/**
 * All directives for a silo after the one numbered `after`, in the order in which they are to be dealt with. Bodies of the others are not
 * made: every message wakes every silo's stream, and a bundle of shares alone is the work of n^2 steps.
 */
export function directivesFor(
  state: CoordinatorState,
  silo: SiloId,
  missingInputs: MissingInputs,
  after = -1n,
): Directive[] {
  const directives: Directive[] = [];
  const add: Add = (event, slot, make) => {
    const sequence = BigInt(event) * PER_EVENT + BigInt(slot);
    if (sequence > after) directives.push({ sequence, body: make() });
  };
  let slot = CATCH_UP;
  for (const job of state.jobs.values()) {
    if (!job.manifest.silos.includes(silo)) continue;
    const forgotten = forgottenIn(state, job, silo, slot);
    slot += forgotten?.slots ?? 0;
    forJob(state, job, silo, missingInputs, forgotten, add);
  }
  forWitness(state, add);
  forRoster(state, add);
  return directives.sort((a, b) => (a.sequence < b.sequence ? -1 : a.sequence > b.sequence ? 1 : 0));
}

/** Where a silo that says by its Hello that it does not know what it had acknowledged is told of the job's rounds again. */
interface Forgotten {
  readonly by: number;
  readonly slot: number;
  readonly slots: number;
  isOf(round: ClosedRound): boolean;
}

/**
 * A disk that was set back: of the rounds closed by the Hello those whose Ack does not stand in what the journal had read of the log by
 * then, whether it came before the Hello or, late, after it. Of a silo whose disk is whole these are the few whose Acks no checkpoint
 * held yet; it answers with its Ack. All of it is fixed by the Hello: a place that came up later would lie behind what was told.
 */
function forgottenIn(
  { log }: CoordinatorState,
  job: CoordinatorJob,
  silo: SiloId,
  slot: number,
): Forgotten | undefined {
  const hello = log?.hellos.get(silo);
  if (hello === undefined) return undefined;
  const { by, read } = hello;
  if ((job.approvedBy.get(silo) ?? Infinity) >= by) return undefined;
  const isOf = (round: ClosedRound): boolean => {
    const entry = round.ackEntries?.get(silo);
    return round.closedBy < by && (entry === undefined || entry >= read);
  };
  if (!job.closed.some(isOf)) return undefined;
  // The offer, two places for each round closed by then and those before the first, and the job's end.
  const rounds = job.closed.filter(({ closedBy }) => closedBy < by).length;
  return { by, slot, slots: 2 * rounds + 3, isOf };
}

type Add = (event: number, slot: number, make: () => Body) => void;

/** Every member of the consortium is a witness of the newest checkpoint, whatever jobs it is in. */
function forWitness({ log }: CoordinatorState, add: Add): void {
  const newest = log?.checkpoints.at(-1);
  if (newest === undefined) return;
  add(Math.max(newest.madeBy, newest.quorumBy ?? 0), LAST_SLOT, () => ({
    $case: 'checkpoint',
    value: { note: noteOf(newest) },
  }));
}

/** Every member is told which rosters came into force, and which are proposed. Signatures come alone: nothing else has their event. */
function forRoster({ successions, proposals }: CoordinatorState, add: Add): void {
  for (const { roster, by } of successions)
    add(by, 0, () => ({
      $case: 'roster',
      value: { roster: roster.payload, signatures: [...(roster.succeeds?.signatures ?? [])] },
    }));
  for (const { roster, signatures, by } of proposals.values())
    add(by, 0, () => ({
      $case: 'rosterProposed',
      value: { roster: roster.payload, signatures: [...signatures.values()] },
    }));
}

function forJob(
  state: CoordinatorState,
  job: CoordinatorJob,
  silo: SiloId,
  missingInputs: MissingInputs,
  forgotten: Forgotten | undefined,
  add: Add,
): void {
  // A job that was ended while sums were being opened is over when its round is.
  const stopped = (job.status === 'completed' || job.status === 'ended') && job.open === undefined;
  const behind = job.closed.some((round) => !round.acks.has(silo));
  const offer = (): Body => ({ $case: 'jobOffer', value: { manifest: job.manifest.envelope } });
  if (!stopped || (behind && job.approvals.has(silo))) add(job.offeredBy, 0, offer);
  // Always, not only once the job is over: a place that comes up later would lie behind what the silo has been told.
  if (forgotten !== undefined) add(forgotten.by, forgotten.slot, offer);
  const approvedBy = job.approvedBy.get(silo);
  if (approvedBy === undefined) return;
  // What happened before the approval is told because of it: the silo may have seen later directives of other jobs.
  // What was forgotten is told because of the Hello, and all that follows from it after it.
  const toldBy = (event: number, slot: number, late: number, again = late - CATCH_UP): readonly [number, number] => {
    if (forgotten !== undefined && event < forgotten.by) return [forgotten.by, forgotten.slot + again];
    return event > approvedBy ? [event, slot] : [approvedBy, late];
  };
  for (const { by, afterRound, votes } of job.rollbacks)
    add(...toldBy(by, 4, CATCH_UP + 2 * afterRound + 1), () => ({
      $case: 'rollback',
      value: { votes: [...votes] },
    }));
  for (const round of job.closed) {
    if (round.acks.has(silo) && forgotten?.isOf(round) !== true) continue;
    add(...toldBy(round.closedBy, 0, CATCH_UP + 2 * round.plan.round), () => closedRound(state, round, missingInputs));
  }
  if (job.open !== undefined) forOpenRound(state, job, job.open, silo, add);
  if (stopped)
    add(
      ...toldBy(Math.max(job.stoppedBy, job.closed.at(-1)?.closedBy ?? 0), 3, JOB_END, (forgotten?.slots ?? 0) - 1),
      () => ({
        $case: 'jobClosed',
        value: { jobId: job.manifest.jobId, reason: job.reason, order: job.endOrder },
      }),
    );
}

function closedRound({ log }: CoordinatorState, round: ClosedRound, missingInputs: MissingInputs): Body {
  // Made when the round was closed, or later: it holds the terminal entry.
  const newest = log?.checkpoints.at(-1);
  const checkpoint = newest === undefined ? new Uint8Array() : noteOf(newest);
  if (round.result === undefined)
    return { $case: 'abandon', value: { abandon: round.abandon, plan: round.plan.envelope, checkpoint } };
  const { envelope, transcript, sum, opened } = round.result;
  return {
    $case: 'result',
    value: { result: envelope, transcript, sum, opened, missingInputs: missingInputs(round), checkpoint },
  };
}

function forOpenRound(
  state: CoordinatorState,
  job: CoordinatorJob,
  round: CoordinatorRound,
  silo: SiloId,
  add: Add,
): void {
  const index = indexIn(round.plan, silo);
  if (index === undefined) return;
  const { attempt } = round;
  const { rid } = round.plan;
  const number = attempt.context.attempt.attempt;
  // Later aborts change the start directive only for those who have not started; for the others it keeps its place before the keys.
  const startedBy = attempt.advertised.has(index) ? attempt.startedBy : (attempt.abortsBy ?? attempt.startedBy);
  add(startedBy, 0, () => {
    const restsOn = checkpointOf(state, attempt);
    return {
      $case: 'start',
      value: {
        plan: round.plan.envelope,
        attempt: attempt.context.attempt.envelope,
        aborts: [...abandonedAborts(job), ...earlierAborts(round, number)],
        checkpoint: restsOn === undefined ? new Uint8Array() : noteOf(restsOn),
        exclusions: exclusionsOf(job),
        proofs: proofsOf(job.barred.values()),
      },
    };
  });
  const { keys, query } = attempt;
  if (keys?.members.has(index) === true)
    add(attempt.keysBy ?? 0, 0, () => ({
      $case: 'keys',
      value: { rid, attempt: number, advertised: inOrder(keys.members).map((one) => one.envelope) },
    }));
  if (attempt.headerBundle !== undefined && attempt.keys?.members.has(index) === true)
    forDealers(attempt, index, rid, number, add);
  if (attempt.survivors !== undefined && attempt.dealers?.members.has(index) === true)
    add(attempt.survivorsBy ?? 0, 0, () => ({ $case: 'confirm', value: { request: attempt.survivors?.request } }));
  if (
    attempt.survivors !== undefined &&
    attempt.quorumBy !== undefined &&
    attempt.phase === 'unmask' &&
    attempt.dealers?.members.has(index) === true
  )
    add(attempt.quorumBy, 1, () => ({
      $case: 'unmask',
      value: {
        request: attempt.survivors?.request,
        consistency: inOrder(attempt.quorum ?? new Map<number, Fingerprints>()).map((one) => one.envelope),
      },
    }));
  if (query !== undefined && attempt.phase === 'aborted')
    add(attempt.queriedBy ?? 0, 2, () => ({ $case: 'releaseQuery', value: { query } }));
}

/** The votes that have excluded silos: with them a sum without one may be opened though one with it was (docs/protocol.md §3). */
function exclusionsOf({ barred }: CoordinatorJob): Envelope[] {
  return [...barred.values()].flatMap(({ code, evidence }) => (code === 'vote/excluded' ? evidence : []));
}

/** Rounds abandoned one after the other that a start directive still speaks of. */
const ABANDONED_SHOWN = 8;

/** What shows that nothing signed in the rounds abandoned since the last result will ever be opened. */
function abandonedAborts({ closed }: CoordinatorJob): Envelope[] {
  const since = closed.findLastIndex(({ result }) => result !== undefined) + 1;
  return closed.slice(Math.max(since, closed.length - ABANDONED_SHOWN)).flatMap(({ aborts }) => [...aborts.values()]);
}

/** What shows that earlier attempts are dead: of every silo the Abort of its latest one, which covers those before. */
function earlierAborts(round: CoordinatorRound, number: number): Envelope[] {
  const latest = new Map<number, Envelope>();
  for (let attempt = 1; attempt < number; attempt++)
    for (const [index, envelope] of round.aborts.get(attempt) ?? []) latest.set(index, envelope);
  return inOrder(latest);
}

function forDealers(attempt: CoordinatorAttempt, index: number, rid: Uint8Array, number: number, add: Add): void {
  const by = attempt.sharesBy ?? 0;
  add(by, 0, () => {
    const ciphertexts = [...attempt.ciphertexts].flatMap(([dealer, all]) => {
      const entries = attempt.offeredShares.get(dealer)?.header.entries ?? [];
      const ciphertext = all[entries.findIndex((entry) => entry.recipient === index)];
      return ciphertext === undefined ? [] : [{ dealer, ciphertext }];
    });
    return { $case: 'shares', value: { rid, attempt: number, headers: attempt.headerBundle, ciphertexts } };
  });
  for (const one of attempt.complaints.values())
    if (one.dealer === index && one.answer === undefined && attempt.phase === 'check')
      add(one.by, 0, () => ({ $case: 'complaint', value: { rid, attempt: number, complaint: one.envelope } }));
  const { dealers } = attempt;
  if (dealers === undefined) return;
  add(attempt.dealersBy ?? 0, 1, () => ({
    $case: 'sharesClosed',
    value: { rid, attempt: number, dealers: toBitmap(dealers.members.keys(), attempt.context.plan.n) },
  }));
}

/** The objects a silo of a job may fetch by hash: everything its directives name, and the job's model. */
export function mayFetch(
  state: CoordinatorState,
  silo: SiloId,
  sha256: Uint8Array,
  missingInputs: MissingInputs,
): boolean {
  for (const job of state.jobs.values()) {
    if (!job.manifest.silos.includes(silo)) continue;
    const refs: (BlobRef | undefined)[] = [job.manifest.message.forwardModel, job.open?.attempt.headerBundle];
    for (const round of job.closed) {
      if (round.result === undefined) continue;
      refs.push(round.result.transcript, round.result.sum, round.result.opened, ...missingInputs(round));
    }
    if (refs.some((ref) => ref !== undefined && equalBytes(ref.sha256, sha256))) return true;
  }
  return false;
}

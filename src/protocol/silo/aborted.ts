// What follows when an attempt or a round cannot be finished (docs/protocol.md §2.4): the release query, and Abandon.

import { equalBytes, LIMITS } from '../../base/index.js';
import { hash, LABELS } from '../../crypto/index.js';
import {
  Abandon,
  Abort,
  Ack,
  Coverage,
  Outcome,
  ReleaseAnswer,
  ReleaseQuery,
  type AbandonDirective,
  type Envelope,
  type ReleaseQueryDirective,
} from '../../wire/index.js';
import { openEnvelope, seal } from '../envelope.js';
import { openPlan, type Plan } from '../plan.js';
import { demand } from '../rejection.js';
import { COORDINATOR, siloSigner } from '../roster.js';
import { jobOf } from './change.js';
import { recordSum } from './differencing.js';
import { submit, type Accepted, type JournalledEvent, type SiloEffect } from './event.js';
import type { JobState, SiloState } from './state.js';
import { demandNextRound } from './next-round.js';
import { forgottenIn, restoredByAbandon } from './restored.js';
import { chargeOf, close } from './verify.js';
import { demandFirstTerminal } from './witness.js';

/** Answers whether this silo has released, with the proof it rests on. Says nothing about the future, so nothing is stored. */
export function onReleaseQueried(state: SiloState, value: ReleaseQueryDirective): Accepted<SiloState> {
  const { self } = state;
  const expected = { type: 'release-query', signer: COORDINATOR } as const;
  const { message } = openEnvelope(self.roster, value.query, expected, ReleaseQuery);
  const job = [...state.jobs.values()].find((j) => j.open !== undefined && equalBytes(j.open.plan.rid, message.rid));
  if (job?.open === undefined) return { state, effects: [] };
  const released = job.open.releasedIn?.attempt === message.attempt ? job.open.releasedIn : undefined;
  const envelope = seal(self.signingKey, siloSigner(self.siloId), 'release-answer', ReleaseAnswer, {
    rid: message.rid,
    attempt: message.attempt,
    unmask: released?.unmask,
    consistency: released === undefined ? [] : [...released.consistency],
    request: released?.request,
  });
  return { state, effects: [submit(envelope)] };
}

/** The round is given up: the model stays, its Abandon is what the next plan follows from. What was released stays counted as opened. */
export function onAbandoned(state: SiloState, event: JournalledEvent, value: AbandonDirective): Accepted<SiloState> {
  const { self } = state;
  const expected = { type: 'abandon', signer: COORDINATOR } as const;
  const { message, payload } = openEnvelope(self.roster, value.abandon, expected, Abandon);
  const plan = openPlan(self.roster, value.plan);
  const job = jobOf(state, plan.jobId);
  demand(
    message.jobId === plan.jobId && message.round === plan.round && equalBytes(message.rid, plan.rid),
    'abandon/invalid',
    'the abandonment and the plan it came with are not of one round.',
  );
  const ack = job.acks.get(plan.round);
  const closing = job.closingAborts.get(plan.round);
  if (ack !== undefined) return { state, effects: [closing, ack].flatMap(submitted) };
  demandNextRound(job, plan, 'result/order', value.abandon === undefined ? [] : [value.abandon]);
  demandFirstTerminal(state, plan, value.abandon);
  const previous = hash(LABELS.abandon, payload);
  const signed = seal(self.signingKey, siloSigner(self.siloId), 'ack', Ack, {
    resultHash: previous,
    outcome: Outcome.OUTCOME_UNSPECIFIED,
    coverage: Coverage.COVERAGE_FULL,
    newModelHash: job.modelHash,
    charge: chargeOf(job.open),
  });
  const burnt = job.open?.releasedIn !== undefined || forgottenIn(state, plan)?.released === true;
  const abort = burnt || !plan.cohort.includes(self.siloId) ? undefined : closingAbort(state, job, plan, value.abandon);
  const closed =
    abort === undefined ? job : { ...job, closingAborts: new Map(job.closingAborts).set(plan.round, abort) };
  // What was released may have been opened by the coordinator, though no result came of it.
  const released = job.open?.releasedIn === undefined ? undefined : job.open.attempt.survivors;
  const known = released === undefined ? state : recordSum(state, job, plan, job.open, released.members.keys());
  const restored = restoredByAbandon(known, closed, plan);
  const done = close(restored, restored.jobs.get(plan.jobId) ?? closed, plan, event, {
    ack: signed,
    previous,
    model: job.modelHash,
  });
  return {
    state: done.state,
    effects: [
      ...withAbort(done.effects, abort),
      {
        kind: 'notice',
        jobId: plan.jobId,
        round: plan.round,
        code: burnt ? 'round/burnt' : 'round/abandoned',
        detail: burnt ? 'this silo had released its shares: its input counts as opened.' : message.reason.slice(0, 200),
      },
    ],
  };
}

/**
 * The round is closed and this silo has released in none of its attempts: it says that it never will. Enough of these show everybody that
 * what was signed in the round will never be opened, so that it stops counting under the input rule (§3).
 */
function closingAbort(
  { self }: SiloState,
  { open }: JobState,
  { jobId, rid }: Plan,
  abandon: Envelope | undefined,
): Envelope {
  return seal(self.signingKey, siloSigner(self.siloId), 'abort', Abort, {
    jobId,
    rid,
    attempt: LIMITS.attemptsPerRound,
    phase: open?.attempt.phase ?? 'advertise',
    code: 'round/abandoned',
    evidence: abandon === undefined ? [] : [abandon],
  });
}

/** Durable with the Ack, and sent before it: the next round opens when the Acks are there. */
function withAbort(effects: readonly SiloEffect[], abort: Envelope | undefined): SiloEffect[] {
  return effects.flatMap((effect): SiloEffect[] =>
    effect.kind === 'persist' && abort !== undefined
      ? [{ ...effect, emitted: [abort, ...effect.emitted] }, ...submitted(abort)]
      : [effect],
  );
}

function submitted(envelope: Envelope | undefined): SiloEffect[] {
  return envelope === undefined ? [] : [submit(envelope)];
}

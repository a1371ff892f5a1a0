// When an attempt cannot go on: ask who has released, then try again, or abandon the round (docs/protocol.md §2.4).

import { equalBytes, type SiloId, type UnixMs, LIMITS } from '../../base/index.js';
import { Abort, decode, Protest, ReleaseAnswer, type Envelope } from '../../wire/index.js';
import { openEnvelope } from '../envelope.js';
import { demand, demanded } from '../rejection.js';
import { siloSigner } from '../roster.js';
import {
  alreadyStored,
  ANSWERED,
  attemptOf,
  enterPhase,
  roundOf,
  signedSoFar,
  stored,
  withAttempt,
  withEntry,
  withJob,
  withRound,
  type Located,
} from './change.js';
import type { Accepted, CoordinatorEffect, CoordinatorEvent } from './event.js';
import { startAttempt } from './gather.js';
import type { CoordinatorState } from './state.js';
import { abandon } from './abandon.js';
import { openSecrets } from './open.js';
import { addRelease, releasesSuffice } from './release.js';

/** Everybody asked has answered, or time is up. */
export function closeAborted(
  state: CoordinatorState,
  found: Located,
  at: UnixMs,
  event: CoordinatorEvent,
): Accepted<CoordinatorState> {
  const { job, round, attempt } = found;
  const number = attempt.context.attempt.attempt;
  if (attempt.releases.size > 0 && !attempt.finishing) {
    // Somebody has released: the attempt is finished, not repeated. Those who answered may have brought all that is needed.
    const finishing: Located = { ...found, attempt: { ...attempt, finishing: true } };
    if (releasesSuffice(attempt)) return openSecrets(state, finishing, at, event);
    return stored(enterPhase(state, finishing, at, 'unmask', { quorumBy: state.events }), event);
  }
  const forget: CoordinatorEffect = { kind: 'forget-attempt', rid: round.plan.rid, attempt: number };
  if (number < LIMITS.attemptsPerRound && job.status !== 'ended') {
    const next = startAttempt(state, job, round.plan, number + 1, at);
    const timeline = [...round.timeline, { attempt: number + 1, phase: 'advertise', at } as const];
    // Protests are about the survivors of one attempt; those of earlier ones are in the journal and in the notes.
    const protests = new Map<number, Envelope>();
    const change = { attempt: next, timeline, protests, signed: signedSoFar(found) };
    const done = stored(withRound(state, found, change), event, [next.context.attempt.envelope]);
    return { state: done.state, effects: [...done.effects.filter((e) => e.kind !== 'answer'), forget] };
  }
  return abandon(state, found, at, event);
}

/** Position of a silo in the round, or a refusal. */
export function memberIndex(found: Located, silo: SiloId): number {
  const index = found.round.plan.cohort.indexOf(silo);
  demand(index >= 0, 'message/unexpected', `${silo} is not in the cohort of this round.`, 'membership');
  return index;
}

export function onAbort(
  state: CoordinatorState,
  event: CoordinatorEvent,
  silo: SiloId,
  envelope: Envelope,
): Accepted<CoordinatorState> {
  const named = decode(Abort, 'abort', envelope.payload);
  const { message } = openEnvelope(state.self.roster, envelope, { type: 'abort', signer: siloSigner(silo) }, Abort);
  const abandoned = onClosingAbort(state, event, silo, envelope, named.rid);
  if (abandoned !== undefined) return abandoned;
  const found = demanded(
    roundOf(state, named.rid),
    'message/late',
    'the round this abort belongs to is closed.',
    'state',
  );
  const current = found.attempt.context.attempt.attempt;
  demand(
    message.jobId === found.round.plan.jobId && message.attempt >= 1 && message.attempt <= current,
    'abort/invalid',
    'the abort names another job or an attempt that has not been.',
  );
  const index = memberIndex(found, silo);
  const ofAttempt = found.round.aborts.get(message.attempt) ?? new Map<number, Envelope>();
  if (alreadyStored(ofAttempt.get(index), envelope)) return { state, effects: [ANSWERED] };
  const aborts = withEntry(found.round.aborts, message.attempt, withEntry(ofAttempt, index, envelope));
  const notes = [
    ...found.round.notes,
    `${silo} aborted attempt ${String(message.attempt)} in ${message.phase.slice(0, 20)}: ${message.code.slice(0, 60)}`,
  ];
  // A start directive carries the aborts of earlier attempts: it has changed for those who wait for proof.
  const attempt = message.attempt < current ? { ...found.attempt, abortsBy: state.events } : found.attempt;
  const superseded = message.code === 'attempt/superseded';
  return stored(withRound(state, found, { aborts, attempt, ...(superseded ? {} : { notes }) }), event);
}

/** About a round that was abandoned: kept, and shown with the starts that follow. Undefined when the round is no such one. */
function onClosingAbort(
  state: CoordinatorState,
  event: CoordinatorEvent,
  silo: SiloId,
  envelope: Envelope,
  rid: Uint8Array,
): Accepted<CoordinatorState> | undefined {
  for (const job of state.jobs.values()) {
    const at = job.closed.findLastIndex(
      ({ plan, abandon: closing }) => closing !== undefined && equalBytes(plan.rid, rid),
    );
    const round = job.closed[at];
    if (round === undefined) continue;
    demand(round.plan.cohort.includes(silo), 'message/unexpected', `${silo} was not in that round.`, 'membership');
    if (alreadyStored(round.aborts.get(silo), envelope)) return { state, effects: [ANSWERED] };
    const changed = { ...round, aborts: withEntry(round.aborts, silo, envelope) };
    // Whoever has not started yet is shown the start with it.
    const open =
      job.open === undefined ? undefined : { ...job.open, attempt: { ...job.open.attempt, abortsBy: state.events } };
    const closed = job.closed.map((one, k) => (k === at ? changed : one));
    return stored(withJob(state, { ...job, closed, open }), event);
  }
  return undefined;
}

export function onReleaseAnswer(
  state: CoordinatorState,
  event: CoordinatorEvent,
  silo: SiloId,
  envelope: Envelope,
): Accepted<CoordinatorState> {
  const named = decode(ReleaseAnswer, 'release-answer', envelope.payload);
  const found = attemptOf(state, named.rid, named.attempt);
  const { message } = openEnvelope(
    state.self.roster,
    envelope,
    { type: 'release-answer', signer: siloSigner(silo) },
    ReleaseAnswer,
  );
  demand(found.attempt.phase === 'aborted', 'message/late', 'nobody is being asked now.', 'state');
  const index = memberIndex(found, silo);
  if (alreadyStored(found.attempt.answers.get(index), envelope)) return { state, effects: [ANSWERED] };
  const released = message.unmask === undefined ? undefined : claimed(found, message.unmask);
  const releases = released?.attempt.releases ?? found.attempt.releases;
  return stored(
    withAttempt(state, found, { answers: withEntry(found.attempt.answers, index, envelope), releases }),
    event,
  );
}

/** A claim to have released counts only where releasing had been asked for, with shares that verify on the T3 of this attempt. */
function claimed(found: Located, unmask: Envelope): Located | undefined {
  demand(
    found.attempt.quorumBy !== undefined,
    'abort/invalid',
    'a release is claimed in an attempt in which nobody was asked to release.',
  );
  return addRelease(found, unmask);
}

/** A silo holds a receipt and was left out: kept as evidence. */
export function onProtest(
  state: CoordinatorState,
  event: CoordinatorEvent,
  silo: SiloId,
  envelope: Envelope,
): Accepted<CoordinatorState> {
  const { t2 } = decode(Protest, 'protest', envelope.payload);
  openEnvelope(state.self.roster, envelope, { type: 'protest', signer: siloSigner(silo) }, Protest);
  const job = [...state.jobs.values()].find(
    (j) => j.open?.attempt.dealers !== undefined && equalBytes(j.open.attempt.dealers.t2, t2),
  );
  const open = demanded(job?.open, 'message/late', 'the attempt this protest belongs to is closed.', 'state');
  const found: Located = { job: demanded(job, 'message/late', 'closed.'), round: open, attempt: open.attempt };
  const index = memberIndex(found, silo);
  if (alreadyStored(open.protests.get(index), envelope)) return { state, effects: [ANSWERED] };
  const notes = [...open.notes, `${silo} protests that it was left out of the survivors`];
  return stored(withRound(state, found, { protests: withEntry(open.protests, index, envelope), notes }), event);
}

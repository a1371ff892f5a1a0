// What of an event enters the transparency log (docs/protocol.md §4): every signed message of a round and every closing of a phase.
// A function of the event and the states around it, so that folding the journal gives the same entries again.

import { equalBytes, hex, LIMITS, type Hash, type UnixMs } from '../../base/index.js';
import { sha256 } from '../../crypto/index.js';
import { encodeEntry, type EntryKindName, type LogEntry } from '../../transcript/index.js';
import {
  Abort,
  Ack,
  Approval,
  AttemptStart,
  ChargeStatement,
  ClosingStatement,
  ActionStatement,
  Complaint,
  ComplaintAnswer,
  Consistency,
  ConsistencyRequest,
  decode,
  Decline,
  encode,
  Envelope,
  Protest,
  ReleaseAnswer,
  RoundResult,
  Unmask,
} from '../../wire/index.js';
import { toBitmap } from '../bitmap.js';
import { openPlan } from '../plan.js';
import { entryOfAct, entryOfErasure } from './act.js';
import type { CoordinatorEffect, TimedEvent } from './event.js';
import type { CoordinatorAttempt, CoordinatorJob, CoordinatorRound, CoordinatorState } from './state.js';

/** Where in the work an entry belongs. */
interface Place {
  readonly job: string;
  readonly round: number;
  readonly attempt: number;
}

const NOWHERE: Place = { job: '', round: 0, attempt: 0 };

/** How a signed type is called among the entries. Types that are not here are not logged by themselves: T1, T2 and T3 bind them. */
const KINDS: Readonly<Record<string, EntryKindName>> = {
  approval: 'approval',
  exclude: 'exclude',
  rollback: 'rollback',
  hello: 'hello',
  successor: 'successor',
  plan: 'plan',
  'attempt-start': 'attempt',
  survivors: 't3',
  consistency: 'consistency',
  unmask: 'release',
  result: 'result',
  ack: 'ack',
  dispute: 'dispute',
  protest: 'protest',
  complaint: 'complaint',
  answer: 'answer',
  decline: 'decline',
  abort: 'abort',
  abandon: 'abandon',
};

/** Encoded entries that an accepted event adds, in order. `after`: the state it leads to, before its entries are counted. */
export function entriesOf(
  before: CoordinatorState,
  { at, event }: TimedEvent,
  after: CoordinatorState,
  effects: readonly CoordinatorEffect[],
): Uint8Array[] {
  const entries: Uint8Array[] = [];
  const add = (entry: Omit<LogEntry, 'recordedAt'>): void => {
    entries.push(encodeEntry({ ...entry, recordedAt: at }));
  };
  const message = (envelope: Envelope | undefined): void => {
    if (envelope?.type === 'erasure') add(entryOfErasure(envelope));
    const kind = envelope === undefined ? undefined : KINDS[envelope.type];
    if (envelope === undefined || kind === undefined) return;
    const place = placeOf(before, after, envelope);
    if (place === undefined) return;
    add({ kind, ...place, subject: envelope.signer, body: bodyOf(kind, envelope) });
    const charge = kind === 'ack' ? decode(Ack, 'ack', envelope.payload).charge : undefined;
    if (charge === undefined) return;
    const body = { form: 'statement', bytes: encode(ChargeStatement, charge) } as const;
    add({ kind: 'ledger-charge', ...place, subject: envelope.signer, body });
  };
  if (event.$case === 'jobCreated' && event.value.manifest !== undefined) {
    const job = [...after.jobs.values()].at(-1);
    const { manifest } = event.value;
    if (job !== undefined)
      add({
        kind: 'manifest',
        job: job.manifest.jobId,
        round: 0,
        attempt: 0,
        subject: manifest.signer,
        body: bodyOf('manifest', manifest),
      });
  }
  if (event.$case === 'messageReceived') {
    message(event.value.envelope);
    message(releaseWithin(before, after, event.value.envelope));
  }
  if (after.self.roster !== before.self.roster) entries.push(rosterEntry(after.self.roster.hash, at));
  for (const closing of closings(before, after)) add(closing);
  for (const effect of effects) if (effect.kind === 'persist') effect.emitted.forEach(message);
  const order = event.$case === 'orderGiven' ? after.orders.at(-1)?.order : undefined;
  if (order !== undefined) {
    const statement = {
      action: order.action.kind,
      reason: '',
      objects: [sha256(encode(Envelope, order.envelope))],
    };
    add({
      kind: 'operator-action',
      ...NOWHERE,
      subject: order.envelope.signer,
      body: { form: 'statement', bytes: encode(ActionStatement, statement) },
    });
  }
  if (event.$case === 'actNoted') add(entryOfAct(event.value));
  if (event.$case === 'jobStopped')
    add({
      kind: 'operator-action',
      job: event.value.jobId,
      round: 0,
      attempt: 0,
      subject: 'coordinator',
      body: {
        form: 'statement',
        bytes: encode(ActionStatement, {
          action: `job-${event.value.state}`,
          reason: event.value.reason.slice(0, 200),
          objects: [],
        }),
      },
    });
  return entries;
}

/** A release counts from its silo's answer to the question whether it had released, where that came first. */
function releaseWithin(
  before: CoordinatorState,
  after: CoordinatorState,
  envelope: Envelope | undefined,
): Envelope | undefined {
  if (envelope?.type !== 'release-answer') return undefined;
  const { rid, unmask } = decode(ReleaseAnswer, 'release-answer', envelope.payload);
  return releasesOf(after, rid) > releasesOf(before, rid) ? unmask : undefined;
}

function releasesOf({ jobs }: CoordinatorState, rid: Uint8Array): number {
  const open = [...jobs.values()].find((job) => job.open !== undefined && equalBytes(job.open.plan.rid, rid))?.open;
  return open?.attempt.releases.size ?? 0;
}

/** First entry of every log: the roster under which it begins. Another one wherever a successor takes its place. */
export function rosterEntry(rosterHash: Hash, at: UnixMs): Uint8Array {
  return encodeEntry({
    kind: 'roster',
    ...NOWHERE,
    subject: 'coordinator',
    recordedAt: at,
    body: { form: 'digest', bytes: rosterHash },
  });
}

/** The message itself; its digest, when it is too large for an entry or holds shares. */
function bodyOf(kind: EntryKindName, envelope: Envelope): LogEntry['body'] {
  const bytes = encode(Envelope, envelope);
  return kind === 'release' || bytes.length > LIMITS.logEntryEnvelopeBytes
    ? { form: 'digest', bytes: sha256(bytes) }
    : { form: 'envelope', bytes };
}

/** U1 with T1, and U2 with T2, when the event closed them. */
function* closings(before: CoordinatorState, after: CoordinatorState): Generator<Omit<LogEntry, 'recordedAt'>> {
  for (const job of after.jobs.values()) {
    const { open } = job;
    if (open === undefined) continue;
    const earlier = sameAttempt(before.jobs.get(job.manifest.jobId)?.open, open);
    const { attempt } = open;
    if (attempt.keys !== undefined && earlier?.keys === undefined)
      yield closing('t1', job, open, attempt.keys.members.keys(), attempt.keys.t1);
    if (attempt.dealers !== undefined && earlier?.dealers === undefined)
      yield closing('t2', job, open, attempt.dealers.members.keys(), attempt.dealers.t2);
  }
}

function sameAttempt(before: CoordinatorRound | undefined, after: CoordinatorRound): CoordinatorAttempt | undefined {
  return before?.plan === after.plan && before.attempt.context.attempt === after.attempt.context.attempt
    ? before.attempt
    : undefined;
}

function closing(
  kind: 't1' | 't2',
  job: CoordinatorJob,
  { plan, attempt }: CoordinatorRound,
  members: Iterable<number>,
  transcript: Uint8Array,
): Omit<LogEntry, 'recordedAt'> {
  const statement = { rid: plan.rid, members: toBitmap(members, plan.n), transcript };
  return {
    kind,
    job: job.manifest.jobId,
    round: plan.round,
    attempt: attempt.context.attempt.attempt,
    subject: 'coordinator',
    body: { form: 'statement', bytes: encode(ClosingStatement, statement) },
  };
}

/** Job, round and attempt that an accepted message is about: it named one that is known, or it would not have been accepted. */
function placeOf(before: CoordinatorState, after: CoordinatorState, envelope: Envelope): Place | undefined {
  const read = <T>(codec: { decode(input: never): T } & Parameters<typeof decode<T>>[0]): T =>
    decode(codec, envelope.type, envelope.payload, LIMITS.manifestBytes);
  const inAttempt = (fits: (attempt: CoordinatorAttempt) => boolean): Place | undefined => {
    for (const { open } of [...before.jobs.values(), ...after.jobs.values()])
      if (open !== undefined && fits(open.attempt)) return placeOfAttempt(open, open.attempt.context.attempt.attempt);
    return undefined;
  };
  const ofRound = (rid: Uint8Array, attempt: number): Place | undefined => {
    const plan = planOf(before, rid) ?? planOf(after, rid);
    return plan === undefined ? undefined : { job: plan.jobId, round: plan.round, attempt };
  };
  switch (envelope.type) {
    case 'exclude':
    case 'rollback':
    case 'approval': {
      // All three begin with the silo and the manifest.
      const { manifestHash } = read(Approval);
      const job = [...after.jobs.values()].find((one) => equalBytes(one.manifest.hash, manifestHash));
      return job === undefined ? undefined : { job: job.manifest.jobId, round: 0, attempt: 0 };
    }
    case 'hello':
    case 'successor':
      return NOWHERE;
    case 'plan': {
      const { jobId, round } = openPlan(after.self.roster, envelope);
      return { job: jobId, round, attempt: 0 };
    }
    case 'attempt-start': {
      const { rid, attempt } = read(AttemptStart);
      return ofRound(rid, attempt);
    }
    case 'survivors': {
      const { rid, attempt } = read(ConsistencyRequest);
      return ofRound(rid, attempt);
    }
    case 'result': {
      const { rid, attempt } = read(RoundResult);
      return ofRound(rid, attempt);
    }
    case 'abort': {
      const { rid, attempt } = read(Abort);
      return ofRound(rid, attempt);
    }
    case 'decline': {
      const { rid, attempt } = read(Decline);
      return ofRound(rid, attempt);
    }
    case 'abandon':
      return closedBy(after, (round) => round.abandon === envelope);
    case 'ack':
    case 'dispute': {
      // Both begin with the hash of the result they are about.
      const { resultHash } = read(Ack);
      return closedBy(after, (round) => equalBytes(round.terminalHash, resultHash));
    }
    case 'consistency': {
      const { t3 } = read(Consistency);
      return inAttempt(({ survivors }) => survivors !== undefined && equalBytes(survivors.t3, t3));
    }
    case 'unmask': {
      const { t3 } = read(Unmask);
      return inAttempt(({ survivors }) => survivors !== undefined && equalBytes(survivors.t3, t3));
    }
    case 'protest': {
      const { t2 } = read(Protest);
      return inAttempt(({ dealers }) => dealers !== undefined && equalBytes(dealers.t2, t2));
    }
    case 'complaint': {
      const { t1 } = read(Complaint);
      return inAttempt(({ keys }) => keys !== undefined && equalBytes(keys.t1, t1));
    }
    case 'answer': {
      const { t1 } = read(ComplaintAnswer);
      return inAttempt(({ keys }) => keys !== undefined && equalBytes(keys.t1, t1));
    }
    default:
      return undefined;
  }
}

function placeOfAttempt({ plan }: CoordinatorRound, attempt: number): Place {
  return { job: plan.jobId, round: plan.round, attempt };
}

function planOf(state: CoordinatorState, rid: Uint8Array): CoordinatorRound['plan'] | undefined {
  const name = hex(rid);
  for (const { open, closed } of state.jobs.values()) {
    if (open !== undefined && hex(open.plan.rid) === name) return open.plan;
    const last = closed.at(-1);
    if (last !== undefined && hex(last.plan.rid) === name) return last.plan;
  }
  return undefined;
}

function closedBy(
  state: CoordinatorState,
  fits: (round: CoordinatorJob['closed'][number]) => boolean,
): Place | undefined {
  for (const job of state.jobs.values()) {
    const round = job.closed.findLast(fits);
    if (round !== undefined) return { job: job.manifest.jobId, round: round.plan.round, attempt: 0 };
  }
  return undefined;
}

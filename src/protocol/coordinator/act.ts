// Acts that are no message of a round: exports, reads of auditors, erasures, certificates that came into use or were revoked. They
// change nothing but the transparency log, which is why each is an event of its own.

import { HASH_BYTES, isName, plusMs, type SiloId, type UnixMs } from '../../base/index.js';
import { sha256 } from '../../crypto/index.js';
import type { EntryKindName, LogEntry } from '../../transcript/index.js';
import { ActionStatement, encode, Envelope, Erasure, type CoordinatorActNoted } from '../../wire/index.js';
import { equalEnvelopes, openEnvelope } from '../envelope.js';
import { demand, demanded } from '../rejection.js';
import { siloSigner } from '../roster.js';
import { ANSWERED, jobOf, stored, withJob } from './change.js';
import type { Accepted, CoordinatorEvent } from './event.js';
import type { CoordinatorState } from './state.js';

export type NotedKind = Extract<
  EntryKindName,
  'operator-action' | 'export' | 'auditor-read' | 'erasure' | 'certificate-issued' | 'certificate-revoked'
>;

const NOTED: readonly NotedKind[] = [
  'operator-action',
  'export',
  'auditor-read',
  'erasure',
  'certificate-issued',
  'certificate-revoked',
];
const SUBJECT = /^(?:coordinator|(?:silo|operator|auditor)\/(?<id>.+))$/;
/** Digests in one entry: with 32 bytes each they fill a third of the largest. */
const OBJECTS_MAX = 600;

export function onActNoted(
  state: CoordinatorState,
  event: CoordinatorEvent,
  act: CoordinatorActNoted,
): Accepted<CoordinatorState> {
  const id = SUBJECT.exec(act.subject);
  const isOf = (problem: boolean, what: string): void => {
    demand(!problem, 'job/state', `an act for the log ${what}.`, 'internal');
  };
  isOf(kindOfAct(act) === undefined, `has no kind: "${act.entry}"`);
  isOf(id === null || (id.groups?.['id'] !== undefined && !isName(id.groups['id'])), 'is nobody’s');
  isOf(act.jobId !== '' && !state.jobs.has(act.jobId as never), `names job "${act.jobId}", which there is not`);
  isOf(act.round > 0 && act.jobId === '', 'names a round of no job');
  isOf(act.objects.length > OBJECTS_MAX, `has ${String(act.objects.length)} objects`);
  isOf(
    act.objects.some((one) => one.length !== HASH_BYTES),
    'has an object without a SHA-256',
  );
  const isCertificate = act.entry.startsWith('certificate-');
  isOf(isCertificate ? act.objects.length !== 1 || act.jobId !== '' : act.action === '', 'does not say what was done');
  return stored(act.entry === 'erasure' ? withErased(state, act) : state, event);
}

/** Decided and durable before anything is deleted: after a crash in between, whoever runs the machine deletes it then. */
function withErased(state: CoordinatorState, { jobId, round: number, action }: CoordinatorActNoted): CoordinatorState {
  const job = jobOf(state, jobId);
  const round = demanded(job.closed[number - 1], 'job/state', `round ${String(number)} is not closed.`, 'internal');
  const erased = new Set(round.erased).add(action);
  return withJob(state, { ...job, closed: job.closed.with(number - 1, { ...round, erased }) });
}

/** Between entries about one silo: it may erase as often as it likes, and need not fill the log with it. */
const ERASURE_PAUSE_MS = 10 * 60_000;

/** A silo says that the secrets of its closed rounds are gone. The same again, after a lost answer, is no second entry. */
export function onErasure(
  state: CoordinatorState,
  at: UnixMs,
  event: CoordinatorEvent,
  silo: SiloId,
  envelope: Envelope,
): Accepted<CoordinatorState> {
  const { message } = openEnvelope(state.self.roster, envelope, { type: 'erasure', signer: siloSigner(silo) }, Erasure);
  demand(message.siloId === silo, 'envelope/wrong-signer', `the erasure of ${silo} names another silo.`);
  const last = state.erasures.get(silo);
  if (last !== undefined && (equalEnvelopes(last.envelope, envelope) || at < plusMs(last.at, ERASURE_PAUSE_MS)))
    return { state, effects: [ANSWERED] };
  return stored({ ...state, erasures: new Map(state.erasures).set(silo, { at, envelope }) }, event);
}

/** What the log holds of a silo's erasure: the digest of what it signed. */
export function entryOfErasure(envelope: Envelope): Omit<LogEntry, 'recordedAt'> {
  const objects = [sha256(encode(Envelope, envelope))];
  const bytes = encode(ActionStatement, { action: 'erase-round-secrets', reason: '', objects });
  const body = { form: 'statement', bytes } as const;
  return { kind: 'erasure', job: '', round: 0, attempt: 0, subject: envelope.signer, body };
}

function kindOfAct({ entry }: CoordinatorActNoted): NotedKind | undefined {
  return NOTED.find((kind) => kind === entry);
}

/** What the log holds of it. */
export function entryOfAct(act: CoordinatorActNoted): Omit<LogEntry, 'recordedAt'> {
  const kind = demanded(kindOfAct(act), 'job/state', 'an act without a kind.', 'internal');
  const { subject, jobId, round, action, objects } = act;
  const body: LogEntry['body'] =
    kind === 'certificate-issued' || kind === 'certificate-revoked'
      ? { form: 'digest', bytes: objects[0] ?? new Uint8Array() }
      : { form: 'statement', bytes: encode(ActionStatement, { action, reason: '', objects: [...objects] }) };
  return { kind, job: jobId, round, attempt: 0, subject, body };
}

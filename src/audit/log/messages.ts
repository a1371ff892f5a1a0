// The signed messages of the log: opened against the roster, and held to what their entry says of them.

import { equalBytes, hex, LIMITS } from '../../base/index.js';
import type { SignedType } from '../../crypto/index.js';
import { openEnvelope, type Roster } from '../../protocol/index.js';
import { ENTRY_KINDS, type EntryKindName, type LogEntry } from '../../transcript/index.js';
import { sha256 } from '../../crypto/index.js';
import {
  Abandon,
  Abort,
  Ack,
  Approval,
  AttemptStart,
  Complaint,
  ComplaintAnswer,
  Consistency,
  ConsistencyRequest,
  decode,
  Decline,
  Dispute,
  Envelope,
  Exclude,
  Hello,
  JobManifest,
  Protest,
  Rollback,
  RoundPlan,
  RoundResult,
  Successor,
  type MessageType,
} from '../../wire/index.js';
import type { BundleReader } from '../bundle/reader.js';
import { bad } from '../bundle/contents.js';
import { verified } from '../errors.js';
import { PART } from '../parts.js';
import type { Numbered } from './tree.js';

/** What each kind of entry holds, where it is a signed message that can be opened. */
export const CODECS = {
  manifest: JobManifest,
  approval: Approval,
  hello: Hello,
  plan: RoundPlan,
  attempt: AttemptStart,
  t3: ConsistencyRequest,
  consistency: Consistency,
  result: RoundResult,
  ack: Ack,
  dispute: Dispute,
  protest: Protest,
  complaint: Complaint,
  answer: ComplaintAnswer,
  decline: Decline,
  abort: Abort,
  abandon: Abandon,
  exclude: Exclude,
  rollback: Rollback,
  successor: Successor,
} as const;

export type SignedKind = keyof typeof CODECS;

export interface Logged<T = unknown> extends Numbered {
  readonly envelope: Envelope;
  /** SHA-256 of the encoded envelope. */
  readonly digest: Uint8Array;
  readonly payload: Uint8Array;
  readonly message: T;
}

/** Who signs each kind: the coordinator, an operator, or a silo. */
const SIGNERS: Readonly<Record<SignedKind, 'coordinator' | 'operator' | 'silo'>> = {
  manifest: 'operator',
  approval: 'silo',
  hello: 'silo',
  plan: 'coordinator',
  attempt: 'coordinator',
  t3: 'coordinator',
  consistency: 'silo',
  result: 'coordinator',
  ack: 'silo',
  dispute: 'silo',
  protest: 'silo',
  complaint: 'silo',
  answer: 'silo',
  decline: 'silo',
  abort: 'silo',
  abandon: 'coordinator',
  exclude: 'silo',
  rollback: 'silo',
  successor: 'silo',
};

export function isSignedKind(kind: EntryKindName): kind is SignedKind {
  return kind in CODECS;
}

/** Throws Refusal `envelope/…`, VerifyError `verify/entry-place`, `verify/missing-part`. */
export function openLogged(roster: Roster, bundle: BundleReader, { index, entry }: Numbered): Logged {
  const kind = entry.kind as SignedKind;
  const { bytes, digest } = envelopeOf(bundle, entry);
  const envelope = decode(Envelope, 'signed envelope', bytes, LIMITS.manifestBytes + LIMITS.envelopePayloadBytes);
  verified(
    envelope.signer === entry.subject && entry.subject.split('/')[0] === SIGNERS[kind],
    'verify/entry-place',
    `entry ${String(index)} is a ${kind} of ${entry.subject}, its message is signed by ${envelope.signer}.`,
    [index],
  );
  // The table has a type for every kind with a codec.
  const type = (ENTRY_KINDS[kind] as { readonly type?: SignedType }).type as SignedType;
  const codec = CODECS[kind] as unknown as MessageType<unknown>;
  const opened = openEnvelope(roster, envelope, { type, signer: entry.subject }, codec, LIMITS.manifestBytes);
  verified(
    standsWhereItSays(entry, opened.message as Saying),
    'verify/entry-place',
    `entry ${String(index)} stands as a ${kind} of round ${String(entry.round)}, attempt ${String(entry.attempt)} of job "${entry.job}"; its message names another.`,
    [index],
  );
  return { index, entry, envelope, digest, payload: opened.payload, message: opened.message };
}

/** What messages of any type say of their place. */
interface Saying {
  readonly jobId?: string;
  readonly round?: number;
  readonly attempt?: number;
}

/** Of every job in the log, audited here or not. */
function standsWhereItSays(entry: LogEntry, { jobId, round, attempt }: Saying): boolean {
  return (
    (jobId ?? entry.job) === entry.job &&
    (round ?? entry.round) === entry.round &&
    (attempt ?? entry.attempt) === entry.attempt
  );
}

function envelopeOf(bundle: BundleReader, { body }: LogEntry): { bytes: Uint8Array; digest: Uint8Array } {
  if (body.form === 'envelope') return { bytes: body.bytes, digest: sha256(body.bytes) };
  const name = PART.beside(hex(body.bytes));
  const bytes = bundle.get(name, LIMITS.manifestBytes + LIMITS.envelopePayloadBytes);
  if (!equalBytes(sha256(bytes), body.bytes)) throw bad(`the part ${name} is not what its name says`);
  return { bytes, digest: body.bytes };
}

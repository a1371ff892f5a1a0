// Log entries: one canonical encoding, so that equal entries are equal bytes and every byte of a log means something.

import { equalBytes, HASH_BYTES, isName, LIMITS, unixMs, type UnixMs } from '../../base/index.js';
import { SIGNATURE_BYTES } from '../../crypto/index.js';
import { decode, encode, Envelope, LogEntry as Message, type EntryKind } from '../../wire/index.js';
import { TranscriptError } from '../errors.js';
import { kindOf, ruleOf, type BodyForm, type Depth, type EntryKindName } from './kind.js';

export const ENTRY_VERSION = 1;

export interface LogEntry {
  readonly kind: EntryKindName;
  /** Empty for what belongs to the consortium. */
  readonly job: string;
  /** From 1, or 0 for none. */
  readonly round: number;
  /** From 1, or 0 for none. */
  readonly attempt: number;
  /** Whose act it is: "silo/<id>", "operator/<id>", "auditor/<id>" or "coordinator". */
  readonly subject: string;
  readonly recordedAt: UnixMs;
  readonly body: { readonly form: BodyForm; readonly bytes: Uint8Array };
}

/** Throws transcript/bad-entry with every field that is wrong, transcript/entry-too-large. */
export function encodeEntry(entry: LogEntry): Uint8Array<ArrayBuffer> {
  requireGood(entry);
  const bytes = encode(Message, {
    version: ENTRY_VERSION,
    kind: ruleOf(entry.kind).number,
    job: entry.job,
    round: entry.round,
    attempt: entry.attempt,
    subject: entry.subject,
    recordedAtUnixMs: BigInt(entry.recordedAt),
    body: bodyMessage(entry.body),
  });
  requireSize(bytes.length);
  return bytes;
}

/** Throws transcript/entry-too-large, entry-malformed, entry-version, entry-kind, bad-entry. */
export function decodeEntry(bytes: Uint8Array): LogEntry {
  requireSize(bytes.length);
  const message = parsed(bytes);
  if (message.version !== ENTRY_VERSION)
    throw new TranscriptError(
      'transcript/entry-version',
      `expected a log entry of version ${String(ENTRY_VERSION)}, this one has ${String(message.version)}.`,
    );
  const kind = kindOf(message.kind);
  if (kind === undefined)
    throw new TranscriptError('transcript/entry-kind', `${String(message.kind)} is no kind of log entry.`);
  if (!equalBytes(encode(Message, message), bytes)) throw malformed('they are not its canonical encoding');
  const { job, round, attempt, subject, body } = message;
  if (body === undefined) throw bad(kind, ['it has no body']);
  if (message.recordedAtUnixMs > BigInt(Number.MAX_SAFE_INTEGER)) throw bad(kind, ['its time is no time']);
  const entry: LogEntry = {
    kind,
    job,
    round,
    attempt,
    subject,
    recordedAt: unixMs(Number(message.recordedAtUnixMs)),
    body: { form: body.$case, bytes: body.value },
  };
  requireGood(entry);
  return entry;
}

/** The version is read first, since a later one may have fields that this one cannot judge. */
function parsed(bytes: Uint8Array): Message & { readonly kind: EntryKind } {
  try {
    return decode(Message, 'log entry', bytes, LIMITS.logEntryBytes);
  } catch (cause) {
    throw malformed('they do not parse', cause);
  }
}

function bodyMessage({ form, bytes }: LogEntry['body']): NonNullable<Message['body']> {
  return { $case: form, value: bytes };
}

function requireGood(entry: LogEntry): void {
  const problems = [...problemsOf(entry)];
  if (problems.length > 0) throw bad(entry.kind, problems);
}

const SUBJECT = /^(?:coordinator|(?:silo|operator|auditor)\/(?<id>.+))$/;

function* problemsOf(entry: LogEntry): Generator<string> {
  const { job, round, attempt, subject, body } = entry;
  const rule = ruleOf(entry.kind);
  if (job !== '' && !isName(job)) yield 'job is no name';
  for (const [name, value] of Object.entries({ round, attempt }))
    if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) yield `${name} is no number of 32 bits`;
  if (!fits(rule.depth, entry))
    yield `job, round and attempt are not those of one that belongs to ${DEPTHS[rule.depth]}`;
  const match = SUBJECT.exec(subject);
  if (match === null || (match.groups?.['id'] !== undefined && !isName(match.groups['id'])))
    yield 'subject is not "coordinator" or a silo, operator or auditor by name';
  if (!rule.forms.includes(body.form)) yield `its body is a ${body.form}, not ${rule.forms.join(' or ')}`;
  else if (body.bytes.length === 0) yield 'its body is empty';
  else if (body.form === 'digest' && body.bytes.length !== HASH_BYTES) yield 'its digest has not 32 bytes';
  else if (body.form === 'envelope') yield* envelopeProblems(body.bytes, rule.type, subject);
}

const DEPTHS: Readonly<Record<Depth, string>> = {
  consortium: 'the consortium',
  job: 'a job',
  round: 'a round',
  attempt: 'an attempt',
  any: 'a consortium, job, round or attempt',
};

function fits(depth: Depth, { job, round, attempt }: LogEntry): boolean {
  const set = [job !== '', round > 0, attempt > 0];
  const deep = set.filter(Boolean).length;
  // Nothing is set below something that is not.
  if (set.indexOf(false) !== (deep === set.length ? -1 : deep)) return false;
  return depth === 'any' || deep === ['consortium', 'job', 'round', 'attempt'].indexOf(depth);
}

/** Form only: whether the signature verifies is for whoever has the roster. */
function* envelopeProblems(bytes: Uint8Array, type: string | undefined, subject: string): Generator<string> {
  let envelope: Envelope;
  try {
    envelope = decode(Envelope, 'signed envelope', bytes);
  } catch {
    yield 'its envelope does not parse';
    return;
  }
  if (!equalBytes(encode(Envelope, envelope), bytes)) yield 'its envelope is not canonically encoded';
  if (envelope.type !== type) yield `its envelope is signed as "${envelope.type.slice(0, 40)}", not "${String(type)}"`;
  if (envelope.signer !== subject) yield 'the signer of its envelope is not its subject';
  if (envelope.signature.length !== SIGNATURE_BYTES) yield 'the signature of its envelope has not 64 bytes';
}

function requireSize(length: number): void {
  if (length > LIMITS.logEntryBytes)
    throw new TranscriptError(
      'transcript/entry-too-large',
      `a log entry may have ${String(LIMITS.logEntryBytes)} bytes, this one has ${String(length)}.`,
    );
}

function malformed(why: string, cause?: unknown): TranscriptError {
  return new TranscriptError('transcript/entry-malformed', `these bytes are not a log entry: ${why}.`, { cause });
}

function bad(kind: EntryKindName, problems: readonly string[]): TranscriptError {
  return new TranscriptError('transcript/bad-entry', `this ${kind} entry is not one: ${problems.join('; ')}.`);
}

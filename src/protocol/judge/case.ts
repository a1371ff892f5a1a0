// What evidence says once it is opened: the messages whose signatures verify against the roster, by type. Everything else proves nothing.

import { equalBytes, hex, isCodedError, LIMITS } from '../../base/index.js';
import { hash, LABELS, type SignedType } from '../../crypto/index.js';
import { openEnvelope } from '../envelope.js';
import { Refusal } from '../rejection.js';
import type { Roster } from '../roster.js';
import { shownTranscript3 } from '../transcript.js';
import {
  Abandon,
  Abort,
  Ack,
  AdvertiseKeys,
  Approval,
  AttemptStart,
  Complaint,
  ComplaintAnswer,
  Consistency,
  ConsistencyRequest,
  Cosign,
  JobManifest,
  MaskedHeader,
  Protest,
  Receipt,
  RoundPlan,
  RoundResult,
  ShareHeader,
  Successor,
  Unmask,
  type Envelope,
  type EvidenceRecord,
  type MessageType,
} from '../../wire/index.js';

/** What can stand in evidence, and who signs it. */
const TYPES = {
  manifest: { codec: JobManifest, by: 'operator' },
  plan: { codec: RoundPlan, by: 'coordinator' },
  'attempt-start': { codec: AttemptStart, by: 'coordinator' },
  receipt: { codec: Receipt, by: 'coordinator' },
  survivors: { codec: ConsistencyRequest, by: 'coordinator' },
  result: { codec: RoundResult, by: 'coordinator' },
  abandon: { codec: Abandon, by: 'coordinator' },
  approval: { codec: Approval, by: 'silo' },
  advertise: { codec: AdvertiseKeys, by: 'silo' },
  'share-header': { codec: ShareHeader, by: 'silo' },
  complaint: { codec: Complaint, by: 'silo' },
  answer: { codec: ComplaintAnswer, by: 'silo' },
  'masked-header': { codec: MaskedHeader, by: 'silo' },
  consistency: { codec: Consistency, by: 'silo' },
  unmask: { codec: Unmask, by: 'silo' },
  abort: { codec: Abort, by: 'silo' },
  ack: { codec: Ack, by: 'silo' },
  cosign: { codec: Cosign, by: 'silo' },
  protest: { codec: Protest, by: 'silo' },
  successor: { codec: Successor, by: 'silo' },
} as const;

export type CaseType = keyof typeof TYPES;
export type MessageOf<K extends CaseType> = (typeof TYPES)[K]['codec'] extends MessageType<infer T> ? T : never;

/** A message whose signature was verified. */
export interface Statement<T = unknown> {
  readonly type: CaseType;
  readonly signer: string;
  readonly payload: Uint8Array;
  readonly message: T;
}

export interface Case {
  readonly record: EvidenceRecord;
  /** Every statement of a type, each payload of a signer once. */
  of<K extends CaseType>(type: K): readonly Statement<MessageOf<K>>[];
  /** Why an envelope does not count. */
  readonly ignored: readonly string[];
}

export function openCase(roster: Roster, record: EvidenceRecord): Case {
  const statements = new Map<string, Statement>();
  const ignored: string[] = [];
  const add = (envelope: Envelope | undefined): void => {
    if (envelope === undefined) return;
    try {
      const statement = opened(roster, envelope);
      statements.set(`${statement.type} ${statement.signer} ${hex(statement.payload)}`, statement);
      // A protest carries the two messages that contradict each other.
      if (statement.type !== 'protest') return;
      const { receipt, request } = statement.message as Protest;
      add(receipt);
      add(request);
    } catch (error) {
      if (!isCodedError(error)) throw error;
      ignored.push(`${error.code}: ${error.message}`);
    }
  };
  for (const envelope of record.envelopes) add(envelope);
  return {
    record,
    ignored,
    // The type was put there with its codec.
    of: <K extends CaseType>(type: K) =>
      [...statements.values()].filter((one) => one.type === type) as Statement<MessageOf<K>>[],
  };
}

function opened(roster: Roster, envelope: Envelope): Statement {
  const type = envelope.type as CaseType;
  if (!Object.hasOwn(TYPES, type)) throw new Refusal('envelope/wrong-type', notJudged(envelope.type));
  const { codec, by } = TYPES[type];
  if (envelope.signer.split('/')[0] !== by)
    throw new Refusal('envelope/wrong-signer', `a ${type} of ${envelope.signer.slice(0, 80)} is none: ${by} signs it.`);
  const expected = { type: type satisfies SignedType, signer: envelope.signer };
  const { message, payload, signer } = openEnvelope(
    roster,
    envelope,
    expected,
    codec as MessageType<unknown>,
    LIMITS.manifestBytes,
  );
  return { type, signer, payload, message };
}

function notJudged(type: string): string {
  return `a "${type.slice(0, 40)}" is no message that evidence is judged by.`;
}

/** The request whose T3 a message names. */
export function requestOf(found: Case, t3: Uint8Array): Statement<ConsistencyRequest> | undefined {
  return found.of('survivors').find(({ message }) => {
    const shown = shownTranscript3(message);
    return shown !== undefined && equalBytes(shown, t3);
  });
}

/** The rid of a plan. */
export function ridOf(payload: Uint8Array): Uint8Array {
  return hash(LABELS.plan, payload);
}

/** How T2 and a complaint name a share header. */
export function headerHash(payload: Uint8Array): Uint8Array {
  return hash(LABELS.shareHeader, payload);
}

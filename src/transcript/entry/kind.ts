// The kinds of entries and what each demands. One table: the codec, the documentation and a verifier read the rules from here.

import type { SignedType } from '../../crypto/index.js';
import { EntryKind } from '../../wire/index.js';

/** How an entry carries what it records; `proto/veilsum/v1/log.proto` says what each form holds. */
export type BodyForm = 'envelope' | 'digest' | 'statement';

/** What an entry belongs to: `job`, `round` and `attempt` are set down to this one. `any`: as deep as it likes, without gaps. */
export type Depth = 'consortium' | 'job' | 'round' | 'attempt' | 'any';

export interface KindRule {
  readonly number: EntryKind;
  readonly depth: Depth;
  readonly forms: readonly BodyForm[];
  /** Type of the envelope, for kinds that record a signed message. */
  readonly type?: SignedType;
}

/** A message as it was signed, or its digest when it is too large for an entry. */
const signed = (number: EntryKind, depth: Depth, type: SignedType): KindRule => ({
  number,
  depth,
  forms: ['envelope', 'digest'],
  type,
});
const stated = (number: EntryKind, depth: Depth): KindRule => ({ number, depth, forms: ['statement'] });
const digested = (number: EntryKind, depth: Depth): KindRule => ({ number, depth, forms: ['digest'] });

export const ENTRY_KINDS = {
  roster: digested(EntryKind.ENTRY_KIND_ROSTER, 'consortium'),
  manifest: signed(EntryKind.ENTRY_KIND_MANIFEST, 'job', 'manifest'),
  approval: signed(EntryKind.ENTRY_KIND_APPROVAL, 'job', 'approval'),
  'certificate-issued': digested(EntryKind.ENTRY_KIND_CERTIFICATE_ISSUED, 'consortium'),
  'certificate-revoked': digested(EntryKind.ENTRY_KIND_CERTIFICATE_REVOKED, 'consortium'),
  hello: signed(EntryKind.ENTRY_KIND_HELLO, 'consortium', 'hello'),
  plan: signed(EntryKind.ENTRY_KIND_PLAN, 'round', 'plan'),
  attempt: signed(EntryKind.ENTRY_KIND_ATTEMPT, 'attempt', 'attempt-start'),
  advertise: signed(EntryKind.ENTRY_KIND_ADVERTISE, 'attempt', 'advertise'),
  t1: stated(EntryKind.ENTRY_KIND_T1, 'attempt'),
  'share-header': signed(EntryKind.ENTRY_KIND_SHARE_HEADER, 'attempt', 'share-header'),
  t2: stated(EntryKind.ENTRY_KIND_T2, 'attempt'),
  'masked-header': signed(EntryKind.ENTRY_KIND_MASKED_HEADER, 'attempt', 'masked-header'),
  t3: signed(EntryKind.ENTRY_KIND_T3, 'attempt', 'survivors'),
  consistency: signed(EntryKind.ENTRY_KIND_CONSISTENCY, 'attempt', 'consistency'),
  // A release holds shares, which never enter a log: its digest alone does.
  release: { number: EntryKind.ENTRY_KIND_RELEASE, depth: 'attempt', forms: ['digest'], type: 'unmask' },
  result: signed(EntryKind.ENTRY_KIND_RESULT, 'attempt', 'result'),
  ack: signed(EntryKind.ENTRY_KIND_ACK, 'round', 'ack'),
  protest: signed(EntryKind.ENTRY_KIND_PROTEST, 'attempt', 'protest'),
  dispute: signed(EntryKind.ENTRY_KIND_DISPUTE, 'round', 'dispute'),
  complaint: signed(EntryKind.ENTRY_KIND_COMPLAINT, 'attempt', 'complaint'),
  answer: signed(EntryKind.ENTRY_KIND_ANSWER, 'attempt', 'answer'),
  decline: signed(EntryKind.ENTRY_KIND_DECLINE, 'attempt', 'decline'),
  abort: signed(EntryKind.ENTRY_KIND_ABORT, 'attempt', 'abort'),
  abandon: signed(EntryKind.ENTRY_KIND_ABANDON, 'round', 'abandon'),
  'ledger-charge': stated(EntryKind.ENTRY_KIND_LEDGER_CHARGE, 'round'),
  'operator-action': stated(EntryKind.ENTRY_KIND_OPERATOR_ACTION, 'any'),
  export: stated(EntryKind.ENTRY_KIND_EXPORT, 'any'),
  'auditor-read': stated(EntryKind.ENTRY_KIND_AUDITOR_READ, 'any'),
  erasure: stated(EntryKind.ENTRY_KIND_ERASURE, 'any'),
  exclude: signed(EntryKind.ENTRY_KIND_EXCLUDE, 'job', 'exclude'),
  rollback: signed(EntryKind.ENTRY_KIND_ROLLBACK, 'job', 'rollback'),
  successor: signed(EntryKind.ENTRY_KIND_SUCCESSOR, 'consortium', 'successor'),
} as const satisfies Readonly<Record<string, KindRule>>;

export type EntryKindName = keyof typeof ENTRY_KINDS;

// The keys are exactly the names: `satisfies` above.
const NAMES = Object.keys(ENTRY_KINDS) as EntryKindName[];
const BY_NUMBER = new Map<number, EntryKindName>(NAMES.map((name) => [ENTRY_KINDS[name].number, name]));

export function kindOf(number: number): EntryKindName | undefined {
  return BY_NUMBER.get(number);
}

export function ruleOf(kind: EntryKindName): KindRule {
  return ENTRY_KINDS[kind];
}

// Acks and Disputes of a round: those of the log, and younger ones that count by their signatures alone.

import { equalBytes, hex } from '../../base/index.js';
import { sha256 } from '../../crypto/index.js';
import { openEnvelope } from '../../protocol/index.js';
import { Ack, Coverage, decode, Dispute, Envelope, Outcome } from '../../wire/index.js';
import type { BundleReader } from '../bundle/reader.js';
import { verified } from '../errors.js';
import { framed } from '../frames.js';
import { AUDIT_LIMITS } from '../limits.js';
import type { RoundBook, Terminal } from '../log/book.js';
import { PART } from '../parts.js';
import type { Ledger } from '../verdict.js';

export interface Reactions {
  readonly acks: ReadonlySet<string>;
  readonly disputes: ReadonlySet<string>;
}

/** What every honest Ack of the round says. */
export interface Expected {
  readonly terminal: Terminal;
  readonly outcome: 'applied' | 'rejected' | 'abandoned';
  readonly model: Uint8Array;
}

const OUTCOMES = {
  applied: Outcome.OUTCOME_APPLIED,
  rejected: Outcome.OUTCOME_REJECTED,
  abandoned: Outcome.OUTCOME_UNSPECIFIED,
} as const;

/** Throws Refusal `envelope/…`, VerifyError `verify/ack`, `verify/unconfirmed`. */
export function checkReactions(
  { bundle, ledger }: { readonly bundle: BundleReader; readonly ledger: Ledger },
  silos: readonly string[],
  { plan, acks: logged, disputes }: RoundBook,
  expected: Expected,
): Reactions {
  const envelopes = new Map<string, Envelope>();
  for (const { envelope, digest } of [...logged, ...disputes]) envelopes.set(hex(digest), envelope);
  const name = PART.reactions(plan.jobId, plan.round);
  if (bundle.has(name))
    for (const bytes of framed(bundle.get(name, AUDIT_LIMITS.reactionsBytes)))
      envelopes.set(hex(sha256(bytes)), decode(Envelope, 'signed envelope', bytes));
  const acknowledged = new Set<string>();
  const disputed = new Set<string>();
  for (const envelope of envelopes.values()) {
    const { signer, type } = envelope;
    const silo = signer.slice('silo/'.length);
    verified(silos.includes(silo), 'verify/ack', `"${signer}" reacts to a result and is not in the job.`);
    if (type === 'dispute') {
      const { message } = openEnvelope(plan.roster, envelope, { type, signer }, Dispute);
      verified(
        equalBytes(message.resultHash, expected.terminal.hash),
        'verify/ack',
        `${signer} disputes another result than the first one of round ${String(plan.round)}.`,
        [expected.terminal.index],
      );
      disputed.add(silo);
      ledger.notes.push(
        `${silo} disputed the result of round ${String(plan.round)} of ${plan.jobId} (${message.code}); it was recomputed here.`,
      );
      continue;
    }
    const { message } = openEnvelope(plan.roster, envelope, { type: 'ack', signer }, Ack);
    verified(
      equalBytes(message.resultHash, expected.terminal.hash) &&
        message.outcome === OUTCOMES[expected.outcome] &&
        equalBytes(message.newModelHash, expected.model),
      'verify/ack',
      `${signer} acknowledges another result, outcome or model than round ${String(plan.round)} has.`,
      [expected.terminal.index],
    );
    if (expected.outcome === 'abandoned' || message.coverage === Coverage.COVERAGE_FULL) acknowledged.add(silo);
  }
  ledger.count('acks', acknowledged.size);
  ledger.count('disputes', disputed.size);
  ledger.count('signatures', envelopes.size);
  const confirming = plan.cohort.filter((silo) => acknowledged.has(silo)).length;
  if (expected.outcome !== 'abandoned')
    verified(
      confirming >= plan.t,
      'verify/unconfirmed',
      `${String(confirming)} of ${String(plan.n)} silos have acknowledged round ${String(plan.round)}, ${String(plan.t)} are needed.`,
      [expected.terminal.index],
    );
  return { acks: acknowledged, disputes: disputed };
}

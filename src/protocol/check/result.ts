// P6: a result with its transcript, as far as small messages go: everything but the vectors themselves, which check/vectors.ts reads.

import { asHash, equalBytes, type Hash } from '../../base/index.js';
import { hash, LABELS, SecretBytes } from '../../crypto/index.js';
import {
  RoundResult,
  type Envelope,
  type IndexedSecret,
  type Outcome,
  type RoundTranscript,
} from '../../wire/index.js';
import { openEnvelope } from '../envelope.js';
import type { Manifest } from '../manifest.js';
import { demandPlanFits, openAttempt, openPlan } from '../plan.js';
import { demand, demanded } from '../rejection.js';
import { COORDINATOR, type Roster } from '../roster.js';
import { closeKeys, type KeySet } from './advertised.js';
import type { RoundContext } from './context.js';
import { closeDealers, openDealers, type DealerSet } from './dealers.js';
import { toBitmap } from '../bitmap.js';
import { openQuorum, openRequest, type Fingerprints, type SurvivorSet } from './survivors.js';
import { demandMaskSecret, demandSelfSecret, openingsOf, type OpenedSecrets } from './unmask.js';

/** A round as its signed messages tell it, up to T3. */
export interface CheckedTranscript {
  readonly context: RoundContext;
  readonly keys: KeySet;
  readonly dealers: DealerSet;
  readonly survivors: SurvivorSet;
}

export interface CheckedResult extends CheckedTranscript {
  /** H("result", payload). */
  readonly hash: Hash;
  readonly secrets: OpenedSecrets;
  readonly fingerprints: ReadonlyMap<number, Fingerprints>;
  /** Survivors whose fingerprint must be computed from their input. */
  readonly missing: readonly number[];
  readonly openedHash: Hash;
  /** As the coordinator claims them; a silo computes its own. */
  readonly claimedOutcome: Outcome;
  /** That the job's own rule ends it with this round. */
  readonly claimedEnd: boolean;
  readonly claimedModelHash: Hash;
}

// 200 consistency envelopes of about 200 bytes and 200 openings, with room.
const MAX_RESULT = 256 * 1024;

export function resultHash(payload: Uint8Array): Hash {
  return hash(LABELS.result, payload);
}

/** Recomputes T1 to T3 from the bytes that were signed. */
export function checkTranscript(roster: Roster, manifest: Manifest, transcript: RoundTranscript): CheckedTranscript {
  const plan = openPlan(roster, transcript.plan);
  demandPlanFits(plan, manifest);
  const attempt = openAttempt(roster, transcript.attempt, plan.rid);
  const context: RoundContext = { roster: plan.roster, manifest, plan, attempt };
  const keys = closeKeys(context, transcript.advertised);
  const headers = openDealers(context, keys, transcript.shareHeaders);
  const dealers = closeDealers(context, keys, headers, toBitmap(headers.keys(), plan.n));
  const survivors = openRequest(context, keys, dealers, transcript.request);
  return { context, keys, dealers, survivors };
}

/** Everything about a result that can be checked without its vectors: (2) and the signatures of (3) in §2.3 P6. */
export function checkResult(checked: CheckedTranscript, envelope: Envelope | undefined): CheckedResult {
  const { context, keys, dealers, survivors } = checked;
  const { message, payload } = openEnvelope(
    context.roster,
    envelope,
    { type: 'result', signer: COORDINATOR },
    RoundResult,
    MAX_RESULT,
  );
  demand(
    equalBytes(message.rid, context.plan.rid) &&
      message.attempt === context.attempt.attempt &&
      equalBytes(message.t3, survivors.t3) &&
      equalBytes(message.sumHash, survivors.sumHash),
    'result/wrong-transcript',
    'the result names another round, attempt, T3 or sum than its transcript.',
  );
  const wanted = openingsOf(dealers, survivors);
  const opened = (
    given: readonly IndexedSecret[],
    expected: readonly number[],
    what: string,
  ): Map<number, SecretBytes> => {
    demand(
      given.length === expected.length && given.every((secret, k) => secret.index === expected[k]),
      'result/openings',
      `the result does not open one ${what} for each member it must, in order.`,
    );
    return new Map(given.map((secret) => [secret.index, SecretBytes.of(secret.secret)]));
  };
  const self = opened(message.selfSecrets, wanted.self, 'self-mask secret');
  const key = opened(message.maskSecrets, wanted.key, 'mask key');
  for (const { index, secret } of message.selfSecrets)
    demandSelfSecret(keys.t1, dealers, index, secret, 'result/commitment');
  for (const [index, secret] of key) demandMaskSecret(keys, index, secret, 'result/commitment');

  const fingerprints = openQuorum(context, survivors, message.consistency);
  const missing = new Set(message.missing);
  const covered = [...survivors.members.keys()].every((index) => fingerprints.has(index) !== missing.has(index));
  demand(
    covered && missing.size === message.missing.length && fingerprints.size + missing.size === survivors.members.size,
    'result/consistency',
    'consistency messages and missing ones do not cover the survivors, each once.',
  );
  demand(
    fingerprints.size >= context.plan.t,
    'result/consistency',
    `${String(fingerprints.size)} survivors confirmed this sum, ${String(context.plan.t)} are needed.`,
  );
  return {
    ...checked,
    hash: resultHash(payload),
    secrets: { self, key },
    fingerprints,
    missing: [...missing].sort((a, b) => a - b),
    openedHash: demanded(asHash(message.openedHash), 'result/openings', 'the hash of the opened sum has not 32 bytes.'),
    claimedOutcome: message.outcome,
    claimedEnd: message.endsJob,
    claimedModelHash: demanded(
      asHash(message.newModelHash),
      'result/openings',
      'the hash of the new model has not 32 bytes.',
    ),
  };
}

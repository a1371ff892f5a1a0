// P3 and P4: masked headers, one by one and as U3 with T3; consistency messages on it.

import { asHash, equalBytes, type Hash } from '../../base/index.js';
import { Consistency, ConsistencyRequest, MaskedHeader, type Envelope } from '../../wire/index.js';
import { fromBitmap } from '../bitmap.js';
import { openEnvelope } from '../envelope.js';
import { demand, demanded } from '../rejection.js';
import { COORDINATOR } from '../roster.js';
import { transcript3 } from '../transcript.js';
import { FINGERPRINT_PRIME } from '../../vector/index.js';
import type { KeySet } from './advertised.js';
import { openMemberMessage, vectorLength, type RoundContext } from './context.js';
import type { DealerSet } from './dealers.js';

export interface MaskedInput {
  readonly index: number;
  /** h_i. */
  readonly root: Hash;
  readonly payload: Uint8Array;
  readonly envelope: Envelope;
}

/** U3 and the sum that was announced for it. */
export interface SurvivorSet {
  readonly members: ReadonlyMap<number, MaskedInput>;
  readonly sumHash: Hash;
  readonly t3: Hash;
  /** The coordinator's signed request. */
  readonly request: Envelope;
}

export interface Fingerprints {
  readonly index: number;
  readonly taus: readonly [bigint, bigint];
  readonly envelope: Envelope;
}

export function openMaskedInput(
  context: RoundContext,
  keys: KeySet,
  dealers: DealerSet,
  envelope: Envelope,
): MaskedInput {
  const { message, payload } = openMemberMessage(context, envelope, 'masked-header', MaskedHeader);
  const who = `member ${String(message.index)}`;
  demand(dealers.members.has(message.index), 'confirm/not-dealer', `${who} sent an input and is not in U2.`);
  demand(
    equalBytes(message.t1, keys.t1) && equalBytes(message.t2, dealers.t2),
    'mask/wrong-transcript',
    `the masked header of ${who} rests on other transcripts.`,
  );
  const d = vectorLength(context);
  demand(
    message.length === BigInt(d),
    'mask/wrong-transcript',
    `${who} sent ${String(message.length)} coordinates, the round sums ${String(d)}.`,
  );
  const root = demanded(asHash(message.root), 'mask/wrong-transcript', `the root of ${who} has not 32 bytes.`);
  return { index: message.index, root, payload, envelope };
}

/** U3 and T3 from the coordinator's request. */
export function openRequest(
  context: RoundContext,
  keys: KeySet,
  dealers: DealerSet,
  envelope: Envelope | undefined,
): SurvivorSet {
  const { plan, attempt } = context;
  const { message } = openEnvelope(
    context.roster,
    envelope,
    { type: 'survivors', signer: COORDINATOR },
    ConsistencyRequest,
    MAX_REQUEST,
  );
  demand(
    equalBytes(message.rid, plan.rid) && message.attempt === attempt.attempt && equalBytes(message.t2, dealers.t2),
    'mask/wrong-transcript',
    'the survivors are announced on another round, attempt or T2.',
  );
  const indices = demanded(
    fromBitmap(message.survivors, plan.n),
    'confirm/headers',
    'the survivors are not a bitmap over the cohort.',
  );
  demand(
    indices.length >= plan.least,
    'confirm/too-few',
    `${String(indices.length)} silos survived, ${String(plan.least)} are needed.`,
  );
  demand(
    indices.every((index) => dealers.members.has(index)),
    'confirm/not-dealer',
    'a survivor is not in U2.',
  );
  demand(
    message.headers.length === indices.length,
    'confirm/headers',
    'there is not one masked header for each survivor.',
  );
  const members = new Map<number, MaskedInput>();
  message.headers.forEach((header, k) => {
    const input = openMaskedInput(context, keys, dealers, header);
    demand(input.index === indices[k], 'confirm/headers', 'masked headers are not those of the survivors, in order.');
    members.set(input.index, input);
  });
  const sumHash = demanded(asHash(message.sumHash), 'confirm/headers', 'the hash of the sum has not 32 bytes.');
  const payloads = new Map([...members].map(([index, input]) => [index, input.payload]));
  return {
    members,
    sumHash,
    t3: transcript3(dealers.t2, plan.n, payloads, sumHash),
    // The signature was checked above, so the envelope is there.
    request: demanded(envelope, 'confirm/headers', 'no request.'),
  };
}

// 200 masked headers of about 250 bytes each, with room.
const MAX_REQUEST = 256 * 1024;

export function openConsistency(context: RoundContext, survivors: SurvivorSet, envelope: Envelope): Fingerprints {
  const { message } = openMemberMessage(context, envelope, 'consistency', Consistency);
  const who = `member ${String(message.index)}`;
  demand(equalBytes(message.t3, survivors.t3), 'unmask/wrong-transcript', `${who} confirmed another T3.`);
  demand(survivors.members.has(message.index), 'unmask/not-survivor', `${who} confirmed and is not in U3.`);
  demand(
    message.tau0 < FINGERPRINT_PRIME && message.tau1 < FINGERPRINT_PRIME,
    'unmask/wrong-transcript',
    `a fingerprint of ${who} is not reduced.`,
  );
  return { index: message.index, taus: [message.tau0, message.tau1], envelope };
}

/** Consistency messages of distinct survivors on one T3, in index order. */
export function openQuorum(
  context: RoundContext,
  survivors: SurvivorSet,
  envelopes: readonly Envelope[],
): Map<number, Fingerprints> {
  const quorum = new Map<number, Fingerprints>();
  let previous = -1;
  for (const envelope of envelopes) {
    const one = openConsistency(context, survivors, envelope);
    demand(
      one.index > previous,
      'unmask/too-few',
      'consistency messages are not in index order, one for each survivor.',
    );
    previous = one.index;
    quorum.set(one.index, one);
  }
  return quorum;
}

// P2, first step: share headers and ciphertexts are gathered and delivered.

import type { UnixMs } from '../../base/index.js';
import { equalBytes } from '../../base/index.js';
import { hash, LABELS, sha256 } from '../../crypto/index.js';
import { decode, encode, HeaderBundle, ShareHeader, type Envelope } from '../../wire/index.js';
import { openDealer } from '../check/dealers.js';
import { CIPHERTEXT_BYTES } from '../dealing.js';
import { demand, demanded, withEvidence } from '../rejection.js';
import {
  alreadyStored,
  ANSWERED,
  enterPhase,
  inOrder,
  stored,
  withAttempt,
  withEntry,
  type Located,
} from './change.js';
import type { Accepted, CoordinatorEvent } from './event.js';
import type { CoordinatorState } from './state.js';

export function onShareHeader(
  state: CoordinatorState,
  event: CoordinatorEvent,
  envelope: Envelope,
  ciphertexts: readonly Uint8Array[],
): Accepted<CoordinatorState> {
  const { t1 } = decode(ShareHeader, 'share-header', envelope.payload);
  const found = demanded(byT1(state, t1), 'message/late', 'the attempt this header belongs to is closed.', 'state');
  const { attempt, keys } = found;
  const dealer = withEvidence(['share/repeated-key'], [envelope], () => openDealer(attempt.context, keys, envelope));
  if (alreadyStored(attempt.offeredShares.get(dealer.index)?.envelope, envelope)) return { state, effects: [ANSWERED] };
  demand(attempt.phase === 'share', 'message/late', 'the shares of this attempt are closed.', 'state');
  const { entries } = dealer.header;
  const matches = entries.every((entry, k) => {
    const ciphertext = ciphertexts[k];
    return (
      ciphertext?.length === CIPHERTEXT_BYTES &&
      equalBytes(hash(LABELS.shareCiphertext, ciphertext), entry.ciphertextHash)
    );
  });
  demand(
    ciphertexts.length === entries.length && matches,
    'share/ciphertext-hash',
    'there is not one ciphertext for each entry of the header that matches its signed hash.',
  );
  return stored(
    withAttempt(state, found, {
      offeredShares: withEntry(attempt.offeredShares, dealer.index, dealer),
      ciphertexts: withEntry(attempt.ciphertexts, dealer.index, ciphertexts),
    }),
    event,
  );
}

function byT1(
  state: CoordinatorState,
  t1: Uint8Array,
): (Located & { readonly keys: NonNullable<Located['attempt']['keys']> }) | undefined {
  for (const job of state.jobs.values()) {
    const keys = job.open?.attempt.keys;
    if (job.open !== undefined && keys !== undefined && equalBytes(keys.t1, t1))
      return { job, round: job.open, attempt: job.open.attempt, keys };
  }
  return undefined;
}

/** Dealing is over: headers and ciphertexts go out to be checked, each to its recipient. */
export function closeShare(
  state: CoordinatorState,
  found: Located,
  at: UnixMs,
  event: CoordinatorEvent,
): Accepted<CoordinatorState> {
  const { attempt } = found;
  const bytes = encode(HeaderBundle, { headers: inOrder(attempt.offeredShares).map((dealer) => dealer.envelope) });
  const headerBundle = { sha256: sha256(bytes), size: BigInt(bytes.length) };
  const next = stored(enterPhase(state, found, at, 'check', { headerBundle, sharesBy: state.events }), event);
  return { state: next.state, effects: [{ kind: 'store-blob', bytes }, ...next.effects] };
}

// P3: masked inputs are closed by their headers and confirmed by receipts; then U3 is fixed and its sum computed.

import { asHash, equalBytes, type UnixMs } from '../../base/index.js';
import {
  ConsistencyRequest,
  decode,
  Decline,
  MaskedHeader,
  Receipt,
  type CoordinatorSumComputed,
  type Envelope,
} from '../../wire/index.js';
import { toBitmap } from '../bitmap.js';
import { openMaskedInput, openRequest } from '../check/survivors.js';
import { openEnvelope, seal } from '../envelope.js';
import { demand, demanded } from '../rejection.js';
import { COORDINATOR, siloSigner } from '../roster.js';
import {
  alreadyStored,
  ANSWERED,
  attemptOf,
  enterPhase,
  inOrder,
  stored,
  withAttempt,
  withEntry,
  type Located,
} from './change.js';
import type { Accepted, CoordinatorEvent } from './event.js';
import type { CoordinatorState } from './state.js';

export function onMaskedHeader(
  state: CoordinatorState,
  event: CoordinatorEvent,
  envelope: Envelope,
  computedRoot: Uint8Array,
): Accepted<CoordinatorState> {
  const { t2 } = decode(MaskedHeader, 'masked-header', envelope.payload);
  const found = demanded(byT2(state, t2), 'message/late', 'the attempt this header belongs to is closed.', 'state');
  const { attempt } = found;
  const keys = demanded(attempt.keys, 'job/state', 'no keys.');
  const dealers = demanded(attempt.dealers, 'job/state', 'no dealers.');
  const input = openMaskedInput(attempt.context, keys, dealers, envelope);
  if (alreadyStored(attempt.masked.get(input.index)?.envelope, envelope))
    return { state, effects: [{ kind: 'answer', receipt: attempt.receipts.get(input.index) }] };
  demand(
    attempt.phase === 'mask' && !attempt.closing,
    'mask/closed',
    'the inputs of this attempt are closed.',
    'state',
  );
  demand(
    equalBytes(computedRoot, input.root),
    'mask/root-differs',
    'the bytes that arrived do not hash to the signed root; the upload starts again.',
  );
  const { self } = state;
  const receipt = seal(self.signingKey, COORDINATOR, 'receipt', Receipt, {
    t2: dealers.t2,
    index: input.index,
    root: input.root,
  });
  const next = withAttempt(state, found, {
    masked: withEntry(attempt.masked, input.index, input),
    receipts: withEntry(attempt.receipts, input.index, receipt),
  });
  return {
    state: next,
    effects: [{ kind: 'persist', event, emitted: [receipt] }, { kind: 'answer', receipt }, { kind: 'notify' }],
  };
}

function byT2(state: CoordinatorState, t2: Uint8Array): Located | undefined {
  for (const job of state.jobs.values()) {
    const dealers = job.open?.attempt.dealers;
    if (job.open !== undefined && dealers !== undefined && equalBytes(dealers.t2, t2))
      return { job, round: job.open, attempt: job.open.attempt };
  }
  return undefined;
}

/** A silo that will send no input: nobody waits for it. */
export function onDecline(
  state: CoordinatorState,
  event: CoordinatorEvent,
  envelope: Envelope,
): Accepted<CoordinatorState> {
  const named = decode(Decline, 'decline', envelope.payload);
  const found = attemptOf(state, named.rid, named.attempt);
  const { attempt, round } = found;
  const index = round.plan.cohort.findIndex((silo) => siloSigner(silo) === envelope.signer);
  const silo = demanded(
    round.plan.cohort[index],
    'message/unexpected',
    'the sender is not in the cohort.',
    'membership',
  );
  openEnvelope(state.self.roster, envelope, { type: 'decline', signer: siloSigner(silo) }, Decline);
  if (alreadyStored(attempt.declined.get(index), envelope)) return { state, effects: [ANSWERED] };
  return stored(withAttempt(state, found, { declined: withEntry(attempt.declined, index, envelope) }), event);
}

/** U3 is what has a receipt; from here on none is given, and the sum is computed. */
export function closeMask(
  state: CoordinatorState,
  found: Located,
  event: CoordinatorEvent,
): Accepted<CoordinatorState> {
  const { attempt } = found;
  const next = withAttempt(state, found, { closing: true });
  return {
    state: next,
    effects: [
      { kind: 'persist', event, emitted: [] },
      { kind: 'notify' },
      { kind: 'compute-sum', context: attempt.context, inputs: attempt.masked },
    ],
  };
}

/** Y is durable: survivors and the hash of the sum are announced, signed. */
export function onSumComputed(
  state: CoordinatorState,
  at: UnixMs,
  event: CoordinatorEvent,
  value: CoordinatorSumComputed,
): Accepted<CoordinatorState> {
  const found = attemptOf(state, value.rid, value.attempt);
  const { attempt } = found;
  demand(attempt.closing && attempt.survivors === undefined, 'job/state', 'no sum is being computed.', 'state');
  const keys = demanded(attempt.keys, 'job/state', 'no keys.');
  const dealers = demanded(attempt.dealers, 'job/state', 'no dealers.');
  const { plan } = attempt.context;
  const request = seal(state.self.signingKey, COORDINATOR, 'survivors', ConsistencyRequest, {
    rid: plan.rid,
    attempt: value.attempt,
    t2: dealers.t2,
    survivors: toBitmap(attempt.masked.keys(), plan.n),
    headers: inOrder(attempt.masked).map((input) => input.envelope),
    sumHash: demanded(asHash(value.sumHash), 'job/state', 'the hash of the sum has not 32 bytes.'),
  });
  const survivors = openRequest(attempt.context, keys, dealers, request);
  const sum = demanded(value.sum, 'job/state', 'the sum was not stored.');
  return stored(enterPhase(state, found, at, 'confirm', { survivors, survivorsBy: state.events, sum }), event, [
    request,
  ]);
}

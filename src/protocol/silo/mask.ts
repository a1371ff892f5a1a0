// P3: the input is masked and uploaded as soon as both it and T2 are there. The charge to the ledger is durable before the first byte
// leaves and is never refunded.

import { asHash, asJobId, equalBytes } from '../../base/index.js';
import {
  Decline,
  MaskedHeader,
  Receipt,
  type Envelope,
  type SiloContributionFailed,
  type SiloContributionReady,
  type SiloInputMasked,
  type SiloReceiptReceived,
} from '../../wire/index.js';
import { vectorLength } from '../check/context.js';
import { openEnvelope, seal } from '../envelope.js';
import { inputMasks, type MaskKeys } from '../masking.js';
import { demand, demanded } from '../rejection.js';
import { COORDINATOR, siloSigner } from '../roster.js';
import { attemptSecrets } from '../secrets.js';
import { jobOf, locate, located, withAttempt, withRound, type Located } from './change.js';
import { submit, type Accepted, type JournalledEvent, type SiloEffect } from './event.js';
import { charged, roundsCharged } from './ledger.js';
import { restoredByKeys } from './restored.js';
import type { SiloState } from './state.js';
import { demandAwake, mayPromise } from './witness.js';

export function onContributionReady(
  state: SiloState,
  event: JournalledEvent,
  value: SiloContributionReady,
): Accepted<SiloState> {
  const job = jobOf(state, demanded(asJobId(value.jobId), 'plan/unknown-job', 'no such job.'));
  const { open } = job;
  // Computed again after a restart: the first one stored counts (write once).
  if (open === undefined || open.plan.round !== value.round || open.contribution.kind !== 'computing')
    return { state, effects: [] };
  const ready = withRound(restoredByKeys(state, job, value.inputKeys), job, {
    ...open,
    contribution: {
      kind: 'ready',
      inputHash: value.inputHash,
      inputKeys: value.inputKeys,
      dataSet: value.dataSet,
      dataSetVersion: value.dataSetVersion,
      charged: undefined,
    },
  });
  const masking = maskIfReady(ready, open.plan.rid, open.attempt.context.attempt.attempt);
  return { state: masking.state, effects: [{ kind: 'persist', event, emitted: masking.emitted }, ...masking.effects] };
}

/** This silo cannot contribute to the round. It says so, and still releases shares of others. */
export function onContributionFailed(
  state: SiloState,
  event: JournalledEvent,
  value: SiloContributionFailed,
): Accepted<SiloState> {
  const jobId = demanded(asJobId(value.jobId), 'plan/unknown-job', 'no such job.');
  const job = jobOf(state, jobId);
  const { open } = job;
  if (open === undefined || open.plan.round !== value.round || open.contribution.kind !== 'computing')
    return { state, effects: [] };
  const failed = withRound(state, job, { ...open, contribution: { kind: 'failed', code: value.code } });
  const masking = maskIfReady(failed, open.plan.rid, open.attempt.context.attempt.attempt);
  return {
    state: masking.state,
    effects: [
      { kind: 'persist', event, emitted: masking.emitted },
      ...masking.effects,
      {
        kind: 'notice',
        jobId,
        round: value.round,
        code: value.code,
        detail: 'this silo sends no input in this round.',
      },
    ],
  };
}

interface Masking {
  readonly state: SiloState;
  readonly emitted: readonly Envelope[];
  readonly effects: readonly SiloEffect[];
}

/** The next step once T2 or the input has come: upload, decline, or nothing yet. Nothing either while this silo may promise nothing new:
 *  it is told of T2 again when it may. */
export function maskIfReady(state: SiloState, rid: Uint8Array, number: number): Masking {
  const found = located(state, rid, number);
  const { job, open, attempt } = found;
  const { contribution } = open;
  if (!mayPromise(state, job, open.plan.round)) return { state, emitted: [], effects: [] };
  if (contribution.kind === 'failed') return declined(state, found, contribution.code);
  if (contribution.kind !== 'ready' || attempt.dealers === undefined || attempt.masked !== undefined)
    return { state, emitted: [], effects: [] };
  // Whose shares came too late is not in U2: its mask could never be removed, and nobody takes its input.
  if (!attempt.dealers.members.has(open.index)) return { state, emitted: [], effects: [] };
  const { dataSet } = contribution;
  const paid = contribution.charged === undefined ? charged(state, dataSet, job.manifest, open.plan.round) : state;
  const count = contribution.charged ?? roundsCharged(paid, dataSet);
  return {
    state: withRound(paid, job, { ...open, contribution: { ...contribution, charged: count } }),
    emitted: [],
    effects: [uploadOf(found)],
  };
}

/** The stored input under the masks of this attempt: the same bytes every time. */
export function uploadOf(found: Located): SiloEffect {
  const { job, open, attempt } = found;
  const { contribution } = open;
  demand(contribution.kind === 'ready', 'confirm/wrong-phase', 'this silo has no input in this round.', 'state');
  return {
    kind: 'mask-and-upload',
    plan: open.plan,
    attempt: attempt.context.attempt.attempt,
    inputHash: contribution.inputHash,
    masks: masksOf(found),
    modulusBits: job.manifest.modulusBits,
  };
}

/** Says once that no input will come. Said before and perhaps lost on the way, it is said again in the same bytes. */
function declined(state: SiloState, { job, open, attempt }: Located, code: string): Masking {
  const before = attempt.declined;
  if (before !== undefined) return { state, emitted: [], effects: [submit(before)] };
  const { self } = state;
  const { rid, attempt: number } = attempt.context.attempt;
  const envelope = seal(self.signingKey, siloSigner(self.siloId), 'decline', Decline, { rid, attempt: number, code });
  return {
    state: withAttempt(state, job, open, { declined: envelope }),
    emitted: [envelope],
    effects: [submit(envelope)],
  };
}

/** The masks of this silo's input: from rho, T2 and the advertised keys of its neighbours in U2, so the same after every restart. */
export function masksOf(found: Located): MaskKeys {
  const { open, attempt } = found;
  const keys = demanded(attempt.keys, 'share/not-checked', 'no keys yet.', 'state');
  const dealers = demanded(attempt.dealers, 'share/not-checked', 'no dealers yet.', 'state');
  const secrets = attemptSecrets(attempt.rho, open.plan.rid, attempt.context.attempt.attempt);
  const peers = new Map<number, Uint8Array>();
  for (const index of dealers.members.keys()) {
    if (!keys.graph.adjacent(open.index, index)) continue;
    peers.set(index, demanded(keys.members.get(index), 'share/entries', 'a dealer without keys.').maskKey);
  }
  return inputMasks(secrets.mask, secrets.selfSecret, open.index, peers, dealers.t2);
}

/** All bytes are up: the signed header closes the upload and waives all complaints of the attempt. */
export function onInputMasked(state: SiloState, event: JournalledEvent, value: SiloInputMasked): Accepted<SiloState> {
  const found = locate(state, value.rid, value.attempt);
  if (found?.attempt.dealers === undefined || found.attempt.keys === undefined || found.attempt.receipt !== undefined)
    return { state, effects: [] };
  const before = found.attempt.masked;
  if (before !== undefined) {
    const same = equalBytes(before.root, value.root);
    demand(same, 'message/conflict', 'the input was masked to other bytes than before.');
    return { state, effects: [submit(before.envelope)] };
  }
  const { job, open, attempt } = found;
  demandAwake(state, job, open.plan.round);
  const { self } = state;
  const root = demanded(asHash(value.root), 'mask/root-differs', 'the root has not 32 bytes.');
  const envelope = seal(self.signingKey, siloSigner(self.siloId), 'masked-header', MaskedHeader, {
    t1: found.attempt.keys.t1,
    t2: found.attempt.dealers.t2,
    index: open.index,
    length: BigInt(vectorLength(attempt.context)),
    root,
  });
  return {
    state: withAttempt(state, job, open, { phase: 'confirm', masked: { envelope, root } }),
    effects: [{ kind: 'persist', event, emitted: [envelope] }, submit(envelope)],
  };
}

export function onReceiptReceived(
  state: SiloState,
  event: JournalledEvent,
  value: SiloReceiptReceived,
): Accepted<SiloState> {
  const found = locate(state, value.rid, value.attempt);
  if (found === undefined || found.attempt.receipt !== undefined) return { state, effects: [] };
  const { job, open, attempt } = found;
  const { message } = openEnvelope(state.self.roster, value.receipt, { type: 'receipt', signer: COORDINATOR }, Receipt);
  demand(
    attempt.masked !== undefined &&
      attempt.dealers !== undefined &&
      equalBytes(message.t2, attempt.dealers.t2) &&
      message.index === open.index &&
      equalBytes(message.root, attempt.masked.root),
    'mask/receipt',
    "the receipt does not confirm this silo's upload.",
  );
  const receipt = demanded(value.receipt, 'mask/receipt', 'no receipt.');
  return { state: withAttempt(state, job, open, { receipt }), effects: [{ kind: 'persist', event, emitted: [] }] };
}

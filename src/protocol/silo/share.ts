// P2: U1 is announced and this silo deals; then headers and its own ciphertexts come and are checked; then U2 closes.

import { toBitmap } from '../bitmap.js';
import { equalBytes } from '../../base/index.js';
import {
  Complaint,
  ComplaintAnswer,
  ShareHeader,
  SharesChecked,
  type ComplaintDirective,
  type Envelope,
  type KeysDirective,
  type SharesClosedDirective,
  type SiloSharesReceived,
} from '../../wire/index.js';
import { hash, LABELS, type AgreementKey } from '../../crypto/index.js';
import { closeKeys } from '../check/advertised.js';
import { openComplaint } from '../check/complaint.js';
import { siloAt } from '../check/context.js';
import { closeDealers, openDealers, type Dealer } from '../check/dealers.js';
import { deal, entryFor, openShares, type HeldShares } from '../dealing.js';
import { equalEnvelopes, seal } from '../envelope.js';
import { demand, demanded, Refusal } from '../rejection.js';
import { siloSigner } from '../roster.js';
import { attemptSecrets, ephemeralSecret } from '../secrets.js';
import { locate, withAttempt, type Located } from './change.js';
import { submit, type Accepted, type JournalledEvent, type SiloEffect } from './event.js';
import { maskIfReady, uploadOf } from './mask.js';
import type { SiloState } from './state.js';
import { demandAwake, demandOneLog } from './witness.js';

/** U1 is known: deal shares of both secrets. */
export function onKeysReceived(state: SiloState, event: JournalledEvent, value: KeysDirective): Accepted<SiloState> {
  const found = locate(state, value.rid, value.attempt);
  if (found === undefined) return { state, effects: [] };
  const { job, open, attempt } = found;
  const { self } = state;
  const keys = closeKeys(attempt.context, value.advertised);
  if (attempt.keys !== undefined && attempt.dealt !== undefined) {
    demand(equalBytes(attempt.keys.t1, keys.t1), 'message/conflict', 'a second set of keys came for this attempt.');
    return {
      state,
      effects: [{ kind: 'submit', envelope: attempt.dealt.envelope, ciphertexts: attempt.dealt.ciphertexts }],
    };
  }
  demandAlive(found);
  demandAwake(state, job, open.plan.round);
  demandOneLog(
    state,
    [...keys.members.values()].map((member) => member.checkpoint),
  );
  const out = [...keys.members.keys()]
    .map((index) => siloAt(attempt.context, index))
    .find((silo) => job.excluded?.has(silo));
  demand(
    out === undefined,
    'message/barred',
    `${out ?? ''} is in the set of keys, and was put out of the job.`,
    'membership',
  );
  const own = keys.members.get(open.index);
  demand(
    own !== undefined && equalEnvelopes(own.envelope, attempt.advertised),
    'keys/own-entry',
    "this silo's own advertisement is missing or was changed.",
  );
  const { graph } = keys;
  const holders = [...keys.members].filter(([index]) => graph.holds(index, open.index));
  const channelKeys = new Map(holders.map(([index, member]) => [index, member.channelKey]));
  const secrets = attemptSecrets(attempt.rho, open.plan.rid, value.attempt);
  const { header, ciphertexts } = deal(secrets, open.index, keys.t1, open.plan.n, graph.shareThreshold, channelKeys);
  const envelope = seal(self.signingKey, siloSigner(self.siloId), 'share-header', ShareHeader, header);
  return {
    state: withAttempt(state, job, open, { phase: 'share', keys, dealt: { envelope, header, ciphertexts } }),
    effects: [
      { kind: 'persist', event, emitted: [envelope] },
      { kind: 'submit', envelope, ciphertexts },
    ],
  };
}

/**
 * Headers and our ciphertexts: everything is checked before U2 closes. A dealer whose signed shares are wrong is complained of, and a U2
 * that has it nevertheless is refused; what the coordinator changed on the way is refused at once and reveals nothing.
 */
export function onSharesReceived(
  state: SiloState,
  event: JournalledEvent,
  value: SiloSharesReceived,
): Accepted<SiloState> {
  const found = locate(state, value.rid, value.attempt);
  if (found?.attempt.keys === undefined) return { state, effects: [] };
  const { job, open, attempt } = found;
  if (attempt.verdicts !== undefined)
    return { state, effects: attempt.dealers === undefined ? attempt.verdicts.map(submit) : [] };
  demandAlive(found);
  demandAwake(state, job, open.plan.round);
  const { keys } = found.attempt;
  const delivered = openDealers(attempt.context, keys, value.headers);
  const secrets = attemptSecrets(attempt.rho, open.plan.rid, value.attempt);
  const sent = new Map(value.ciphertexts.map((c) => [c.dealer, c.ciphertext]));
  const { graph } = keys;
  for (const dealer of sent.keys())
    demand(
      graph.holds(open.index, dealer),
      'share/not-neighbour',
      `shares of member ${String(dealer)} were delivered, who is no neighbour of this silo.`,
    );
  const checked = new Map<number, Dealer>();
  const held = new Map<number, HeldShares>();
  const verdicts: Envelope[] = [];
  for (const [index, dealer] of delivered) {
    // Of the others only the header matters here: T2 rests on it.
    if (!graph.holds(open.index, index)) {
      checked.set(index, dealer);
      continue;
    }
    const shares = sharesOrComplaint(state, found, dealer, secrets.channel, sent.get(index));
    if ('complaint' in shares) verdicts.push(shares.complaint);
    else {
      held.set(index, shares);
      checked.set(index, dealer);
    }
  }
  const complaints = verdicts.length;
  verdicts.push(
    seal(state.self.signingKey, siloSigner(state.self.siloId), 'shares-checked', SharesChecked, {
      t1: keys.t1,
      index: open.index,
    }),
  );
  const notice: SiloEffect[] =
    complaints === 0
      ? []
      : [
          {
            kind: 'notice',
            jobId: open.plan.jobId,
            round: open.plan.round,
            code: 'share/bad-ciphertext',
            detail: `${String(complaints)} members dealt shares that are wrong; this silo complained.`,
          },
        ];
  return {
    state: withAttempt(state, job, open, { checked, held, verdicts }),
    effects: [{ kind: 'persist', event, emitted: verdicts }, ...verdicts.map(submit), ...notice],
  };
}

/** What one dealer gave us, or our signed complaint about it. */
function sharesOrComplaint(
  state: SiloState,
  found: Located,
  { index: dealer, header, payload }: Dealer,
  channel: AgreementKey,
  ciphertext: Uint8Array | undefined,
): HeldShares | { readonly complaint: Envelope } {
  const { self } = state;
  const keys = demanded(found.attempt.keys, 'share/not-checked', 'no keys yet.', 'state');
  try {
    return openShares(channel, found.open.index, header, ciphertext, keys.t1);
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'share/bad-ciphertext') throw error;
    const { ciphertextHash } = entryFor(header, found.open.index);
    const headerHash = hash(LABELS.shareHeader, payload);
    const message = { t1: keys.t1, index: found.open.index, dealer, ciphertextHash, headerHash };
    return { complaint: seal(self.signingKey, siloSigner(self.siloId), 'complaint', Complaint, message) };
  }
}

/** Somebody complains of shares that we dealt: the one ephemeral secret shows who is right. It opens that one ciphertext only. */
export function onComplaintReceived(
  state: SiloState,
  event: JournalledEvent,
  value: ComplaintDirective,
): Accepted<SiloState> {
  const found = locate(state, value.rid, value.attempt);
  if (found?.attempt.keys === undefined || found.attempt.dealt === undefined) return { state, effects: [] };
  const { job, open, attempt } = found;
  const { keys, dealt } = found.attempt;
  const own: Dealer = {
    index: open.index,
    header: dealt.header,
    payload: dealt.envelope.payload,
    envelope: dealt.envelope,
  };
  const complaint = demanded(value.complaint, 'complaint/invalid', 'no complaint.');
  const { complainant } = openComplaint(attempt.context, keys, new Map([[open.index, own]]), complaint);
  const before = attempt.answers?.get(complainant);
  if (before !== undefined) return { state, effects: [submit(before)] };
  demandAlive(found);
  demandAwake(state, job, open.plan.round);
  demand(
    attempt.dealers === undefined,
    'message/late',
    'U2 is closed: complaints of this attempt are waived.',
    'state',
  );
  const { self } = state;
  const answer = seal(self.signingKey, siloSigner(self.siloId), 'answer', ComplaintAnswer, {
    t1: keys.t1,
    index: open.index,
    recipient: complainant,
    ephemeralSecret: ephemeralSecret(attempt.rho, open.plan.rid, value.attempt, complainant).reveal(),
  });
  const answers = new Map(attempt.answers).set(complainant, answer);
  return {
    state: withAttempt(state, job, open, { answers }),
    effects: [{ kind: 'persist', event, emitted: [answer] }, submit(answer)],
  };
}

/** U2 is known: from here on masks are fixed, and the input goes out as soon as it is there. */
export function onSharesClosed(
  state: SiloState,
  event: JournalledEvent,
  value: SharesClosedDirective,
): Accepted<SiloState> {
  const found = locate(state, value.rid, value.attempt);
  if (found === undefined) return { state, effects: [] };
  const { job, open, attempt } = found;
  if (attempt.dealers !== undefined) {
    const closed = toBitmap(attempt.dealers.members.keys(), open.plan.n);
    demand(equalBytes(closed, value.dealers), 'message/conflict', 'a second set of dealers came for this attempt.');
    demandAwake(state, job, open.plan.round);
    return remaining(state, found, event);
  }
  demandAlive(found);
  demandAwake(state, job, open.plan.round);
  const keys = demanded(attempt.keys, 'share/not-checked', 'U2 came before U1.', 'state');
  const checked = demanded(attempt.checked, 'share/not-checked', 'U2 came before the headers were checked.', 'state');
  const dealers = closeDealers(attempt.context, keys, checked, value.dealers);
  const closed = withAttempt(state, job, open, { phase: 'mask', dealers });
  const masking = maskIfReady(closed, value.rid, value.attempt);
  return { state: masking.state, effects: [{ kind: 'persist', event, emitted: masking.emitted }, ...masking.effects] };
}

/**
 * Told again after a reconnect or a restart: whatever of this phase is not done goes on. A silo that might promise nothing when its input
 * was ready charges it only now, or declines only now, and that is durable before anything leaves.
 */
function remaining(state: SiloState, found: Located, event: JournalledEvent): Accepted<SiloState> {
  const { attempt, open } = found;
  if (attempt.receipt !== undefined) return { state, effects: [] };
  // Without a receipt nobody knows how much arrived: the upload goes on from there, and its header follows again.
  if (attempt.masked !== undefined) return { state, effects: [uploadOf(found)] };
  const masking = maskIfReady(state, open.plan.rid, attempt.context.attempt.attempt);
  const { contribution } = open;
  const charges = contribution.kind === 'ready' && contribution.charged === undefined && masking.effects.length > 0;
  if (!charges && masking.emitted.length === 0) return { state, effects: masking.effects };
  return { state: masking.state, effects: [{ kind: 'persist', event, emitted: masking.emitted }, ...masking.effects] };
}

export function demandAlive(found: Located): void {
  const number = found.attempt.context.attempt.attempt;
  demand(
    number > found.open.abortedThrough,
    'confirm/aborted',
    `this silo has aborted attempt ${String(number)}.`,
    'state',
  );
}

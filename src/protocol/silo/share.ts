// P2: U1 is announced and this silo deals; then headers and its own ciphertexts come and are checked; then U2 closes.

import { toBitmap } from '../bitmap.js';
import { equalBytes } from '../../base/index.js';
import {
  Abort,
  ShareHeader,
  type KeysDirective,
  type SharesClosedDirective,
  type SiloSharesReceived,
} from '../../wire/index.js';
import { closeKeys } from '../check/advertised.js';
import { closeDealers, openDealers } from '../check/dealers.js';
import { deal, openShares, type HeldShares } from '../dealing.js';
import { equalEnvelopes, seal } from '../envelope.js';
import { demand, demanded, Refusal } from '../rejection.js';
import { siloSigner } from '../roster.js';
import { attemptSecrets } from '../secrets.js';
import { locate, withAttempt, withRound, type Located } from './change.js';
import type { Accepted, JournalledEvent, SiloEffect } from './event.js';
import { maskIfReady, uploadOf } from './mask.js';
import type { SiloState } from './state.js';

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
  const own = keys.members.get(open.index);
  demand(
    own !== undefined && equalEnvelopes(own.envelope, attempt.advertised),
    'keys/own-entry',
    "this silo's own advertisement is missing or was changed.",
  );
  const channelKeys = new Map([...keys.members].map(([index, member]) => [index, member.channelKey]));
  const secrets = attemptSecrets(attempt.rho, open.plan.rid, value.attempt);
  const { header, ciphertexts } = deal(secrets, open.index, keys.t1, open.plan.n, open.plan.t, channelKeys);
  const envelope = seal(self.signingKey, siloSigner(self.siloId), 'share-header', ShareHeader, header);
  return {
    state: withAttempt(state, job, open, { phase: 'share', keys, dealt: { envelope, header, ciphertexts } }),
    effects: [
      { kind: 'persist', event, emitted: [envelope] },
      { kind: 'submit', envelope, ciphertexts },
    ],
  };
}

/** Headers and our ciphertexts: everything is checked before U2 closes; what is wrong ends the attempt for this silo, with a code. */
export function onSharesReceived(
  state: SiloState,
  event: JournalledEvent,
  value: SiloSharesReceived,
): Accepted<SiloState> {
  const found = locate(state, value.rid, value.attempt);
  if (found?.attempt.keys === undefined || found.attempt.checked !== undefined) return { state, effects: [] };
  const { job, open, attempt } = found;
  demandAlive(found);
  const keys = found.attempt.keys;
  const checked = openDealers(attempt.context, keys, value.headers);
  const secrets = attemptSecrets(attempt.rho, open.plan.rid, value.attempt);
  const sent = new Map(value.ciphertexts.map((c) => [c.dealer, c.ciphertext]));
  const held = new Map<number, HeldShares>();
  try {
    for (const [dealer, { header }] of checked)
      held.set(dealer, openShares(secrets.channel, open.index, header, sent.get(dealer), keys.t1));
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'share/bad-ciphertext') throw error;
    return abortOver(state, found, event, error);
  }
  return {
    state: withAttempt(state, job, open, { checked, held }),
    effects: [{ kind: 'persist', event, emitted: [] }],
  };
}

/** A dealer signed shares that are wrong: this attempt is over for us, durably, and everybody is told. */
function abortOver(state: SiloState, found: Located, event: JournalledEvent, error: Refusal): Accepted<SiloState> {
  const { self } = state;
  const { job, open, attempt } = found;
  const number = attempt.context.attempt.attempt;
  const abort = seal(self.signingKey, siloSigner(self.siloId), 'abort', Abort, {
    jobId: open.plan.jobId,
    rid: open.plan.rid,
    attempt: number,
    phase: 'share',
    code: error.code,
    evidence: [],
  });
  const next = withRound(state, job, {
    ...open,
    abortedThrough: Math.max(open.abortedThrough, number),
    aborts: new Map(open.aborts).set(number, abort),
  });
  return {
    state: next,
    effects: [
      { kind: 'persist', event, emitted: [abort] },
      { kind: 'submit', envelope: abort, ciphertexts: [] },
      { kind: 'notice', jobId: open.plan.jobId, round: open.plan.round, code: error.code, detail: error.message },
    ],
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
    return { state, effects: remaining(state, found) };
  }
  demandAlive(found);
  const keys = demanded(attempt.keys, 'share/not-checked', 'U2 came before U1.', 'state');
  const checked = demanded(attempt.checked, 'share/not-checked', 'U2 came before the headers were checked.', 'state');
  const dealers = closeDealers(attempt.context, keys, checked, value.dealers);
  const closed = withAttempt(state, job, open, { phase: 'mask', dealers });
  const masking = maskIfReady(closed, value.rid, value.attempt);
  return { state: masking.state, effects: [{ kind: 'persist', event, emitted: masking.emitted }, ...masking.effects] };
}

/** Told again after a reconnect or a restart: whatever of this phase is not done goes on. */
function remaining(state: SiloState, found: Located): readonly SiloEffect[] {
  const { attempt } = found;
  if (attempt.receipt !== undefined) return [];
  // Without a receipt nobody knows how much arrived: the upload goes on from there, and its header follows again.
  if (attempt.masked !== undefined) return [uploadOf(found)];
  if (attempt.declined !== undefined) return [{ kind: 'submit', envelope: attempt.declined, ciphertexts: [] }];
  return maskIfReady(state, found.open.plan.rid, attempt.context.attempt.attempt).effects;
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

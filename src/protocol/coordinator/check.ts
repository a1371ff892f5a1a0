// P2, second step: every silo checks the shares it was dealt. Complaints are put to their dealers, answers are judged, proven culprits are
// barred from the job, and only then is U2 closed.

import { equalBytes, type UnixMs } from '../../base/index.js';
import { decode, SharesChecked, type Envelope } from '../../wire/index.js';
import { toBitmap } from '../bitmap.js';
import { judgeAnswer, openComplaint, openSharesChecked } from '../check/complaint.js';
import { closeDealers } from '../check/dealers.js';
import { openedKeys } from '../evidence.js';
import { demand, demanded } from '../rejection.js';
import { bar } from './bar.js';
import { alreadyStored, ANSWERED, enterPhase, stored, withAttempt, withEntry, type Located } from './change.js';
import type { Accepted, CoordinatorEvent } from './event.js';
import { failAttempt } from './fail.js';
import type { CoordinatorAttempt, CoordinatorState, StoredComplaint } from './state.js';

/** Any of the three messages of this step names T1 in its first field, so that one reader finds the attempt. */
function byT1(
  state: CoordinatorState,
  envelope: Envelope,
): Located & { readonly keys: NonNullable<CoordinatorAttempt['keys']> } {
  const { t1 } = decode(SharesChecked, envelope.type, envelope.payload);
  for (const job of state.jobs.values()) {
    const keys = job.open?.attempt.keys;
    if (job.open !== undefined && keys !== undefined && equalBytes(keys.t1, t1))
      return { job, round: job.open, attempt: job.open.attempt, keys };
  }
  demand(false, 'message/late', 'the attempt this message belongs to is closed.', 'state');
}

function demandChecking(attempt: CoordinatorAttempt): void {
  demand(attempt.phase === 'check', 'message/late', 'the shares of this attempt are not being checked now.', 'state');
}

export function onSharesChecked(
  state: CoordinatorState,
  event: CoordinatorEvent,
  envelope: Envelope,
): Accepted<CoordinatorState> {
  const found = byT1(state, envelope);
  const { attempt, keys } = found;
  const index = openSharesChecked(attempt.context, keys, envelope);
  if (alreadyStored(attempt.checkedBy.get(index), envelope)) return { state, effects: [ANSWERED] };
  demandChecking(attempt);
  return stored(withAttempt(state, found, { checkedBy: withEntry(attempt.checkedBy, index, envelope) }), event);
}

export function complaintKey(dealer: number, complainant: number): string {
  return `${String(dealer)}/${String(complainant)}`;
}

export function onComplaint(
  state: CoordinatorState,
  event: CoordinatorEvent,
  envelope: Envelope,
): Accepted<CoordinatorState> {
  const found = byT1(state, envelope);
  const { attempt, keys } = found;
  const { complainant, dealer } = openComplaint(attempt.context, keys, attempt.offeredShares, envelope);
  const key = complaintKey(dealer, complainant);
  if (alreadyStored(attempt.complaints.get(key)?.envelope, envelope)) return { state, effects: [ANSWERED] };
  demandChecking(attempt);
  demand(
    !attempt.checkedBy.has(complainant),
    'message/late',
    'this silo has said before that everything is checked.',
    'state',
  );
  const complaint: StoredComplaint = { dealer, complainant, envelope, by: state.events };
  return stored(withAttempt(state, found, { complaints: withEntry(attempt.complaints, key, complaint) }), event);
}

export function onComplaintAnswer(
  state: CoordinatorState,
  event: CoordinatorEvent,
  envelope: Envelope,
): Accepted<CoordinatorState> {
  const found = byT1(state, envelope);
  const { attempt, keys } = found;
  const ciphertextOf = (dealer: number, recipient: number): Uint8Array | undefined => {
    const entries = attempt.offeredShares.get(dealer)?.header.entries ?? [];
    return attempt.ciphertexts.get(dealer)?.[entries.findIndex((entry) => entry.recipient === recipient)];
  };
  const judged = judgeAnswer(attempt.context, keys, attempt.offeredShares, ciphertextOf, envelope);
  const key = complaintKey(judged.dealer, judged.complainant);
  const complaint = demanded(attempt.complaints.get(key), 'complaint/unasked', 'nobody complained of these shares.');
  if (alreadyStored(complaint.answer, envelope)) return { state, effects: [ANSWERED] };
  demandChecking(attempt);
  const answered: StoredComplaint = { ...complaint, answer: envelope, culprit: judged.culprit };
  const culprit = judged.culprit === 'dealer' ? judged.dealer : judged.complainant;
  const header = attempt.offeredShares.get(judged.dealer)?.envelope;
  const recipient = keys.members.get(judged.complainant)?.envelope;
  const ciphertext = ciphertextOf(judged.dealer, judged.complainant);
  const code = judged.culprit === 'dealer' ? 'share/bad-ciphertext' : 'complaint/false';
  const barring = bar(found, culprit, code, [complaint.envelope, envelope, header, recipient], {
    keys: openedKeys(attempt.context, keys),
    ciphertexts: ciphertext === undefined ? [] : [ciphertext],
  });
  return stored(withAttempt(state, barring, { complaints: withEntry(attempt.complaints, key, answered) }), event);
}

/** U2: who dealt, without those proven wrong and without dealers that left a complaint unanswered, who sit out this attempt only. */
export function closeCheck(
  state: CoordinatorState,
  found: Located,
  at: UnixMs,
  event: CoordinatorEvent,
  cause: string,
): Accepted<CoordinatorState> {
  const { attempt, job } = found;
  const keys = demanded(attempt.keys, 'job/state', 'no keys yet.', 'state');
  const { plan } = attempt.context;
  const unanswered = new Set(
    [...attempt.complaints.values()].filter((one) => one.answer === undefined).map((one) => one.dealer),
  );
  const barred = (index: number): boolean => job.barred.has(plan.cohort[index] ?? ('' as never));
  const left = [...attempt.offeredShares.keys()].filter((index) => !unanswered.has(index) && !barred(index));
  if (left.length < plan.least)
    return failAttempt(
      state,
      found,
      at,
      event,
      `${String(left.length)} silos dealt shares that nobody disputes, ${String(plan.least)} are needed (${cause})`,
    );
  const dealers = closeDealers(attempt.context, keys, attempt.offeredShares, toBitmap(left, plan.n));
  return stored(enterPhase(state, found, at, 'mask', { dealers, dealersBy: state.events }), event);
}

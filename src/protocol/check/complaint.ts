// P2: complaints about dealt shares, and what an answer proves. A complaint reveals no key; the dealer answers with the one ephemeral
// secret, and anybody can see who is right: an opening that is bad proves the dealer, one that is good proves the complainant.

import { equalBytes, type Hash } from '../../base/index.js';
import { AgreementKey, hash, LABELS, SecretBytes } from '../../crypto/index.js';
import { Complaint, ComplaintAnswer, SharesChecked, type Envelope } from '../../wire/index.js';
import { entryFor, openAsDealer } from '../dealing.js';
import { demand, demanded } from '../rejection.js';
import type { KeySet } from './advertised.js';
import { openMemberMessage, type RoundContext } from './context.js';
import type { Dealer } from './dealers.js';

export interface OpenedComplaint {
  readonly complainant: number;
  readonly dealer: number;
  readonly envelope: Envelope;
}

export type Culprit = 'dealer' | 'complainant';

/** Index of the silo that has checked everything. */
export function openSharesChecked(context: RoundContext, keys: KeySet, envelope: Envelope): number {
  const { message } = openMemberMessage(context, envelope, 'shares-checked', SharesChecked);
  demandTranscript(keys, message.t1);
  demand(keys.members.has(message.index), 'message/unexpected', `member ${String(message.index)} is not in U1.`);
  return message.index;
}

/** `dealers`: every header that was delivered. */
export function openComplaint(
  context: RoundContext,
  keys: KeySet,
  dealers: ReadonlyMap<number, Dealer>,
  envelope: Envelope,
): OpenedComplaint {
  const { message } = openMemberMessage(context, envelope, 'complaint', Complaint);
  demandTranscript(keys, message.t1);
  demand(keys.members.has(message.index), 'message/unexpected', `member ${String(message.index)} is not in U1.`);
  const dealer = demanded(
    dealers.get(message.dealer),
    'complaint/invalid',
    `member ${String(message.dealer)} dealt no shares that anybody could complain about.`,
  );
  const { ciphertextHash } = entryFor(dealer.header, message.index);
  demand(
    equalBytes(message.ciphertextHash, ciphertextHash) &&
      equalBytes(message.headerHash, hash(LABELS.shareHeader, dealer.payload)),
    'complaint/invalid',
    'the complaint is about another ciphertext or header than the ones that were signed.',
  );
  return { complainant: message.index, dealer: message.dealer, envelope };
}

/** Who the answer proves wrong. Throws Refusal `complaint/wrong-key` when it is no answer at all. */
export function judgeAnswer(
  context: RoundContext,
  keys: KeySet,
  dealers: ReadonlyMap<number, Dealer>,
  ciphertextOf: (dealer: number, recipient: number) => Uint8Array | undefined,
  envelope: Envelope,
): { readonly dealer: number; readonly complainant: number; readonly culprit: Culprit } {
  const { message } = openMemberMessage(context, envelope, 'answer', ComplaintAnswer);
  demandTranscript(keys, message.t1);
  const { header } = demanded(dealers.get(message.index), 'complaint/unasked', 'the answer is from nobody who dealt.');
  const entry = entryFor(header, message.recipient);
  demand(message.ephemeralSecret.length === 32, 'complaint/wrong-key', 'an ephemeral secret has 32 bytes.');
  using secret = SecretBytes.of(message.ephemeralSecret);
  const ephemeral = AgreementKey.oneTime(secret);
  demand(
    equalBytes(ephemeral.publicKey, entry.ephemeralKey),
    'complaint/wrong-key',
    `member ${String(message.index)} answered with another key than it had signed.`,
  );
  const channelKey = demanded(keys.members.get(message.recipient), 'complaint/unasked', 'no such member.').channelKey;
  const ciphertext = demanded(
    ciphertextOf(message.index, message.recipient),
    'complaint/unasked',
    'the ciphertext that this is about is not here.',
  );
  const opened = openAsDealer(ephemeral, channelKey, header, message.recipient, ciphertext, keys.t1);
  const culprit = opened === undefined ? 'dealer' : 'complainant';
  return { dealer: message.index, complainant: message.recipient, culprit };
}

function demandTranscript(keys: KeySet, t1: Uint8Array): asserts t1 is Hash {
  demand(equalBytes(t1, keys.t1), 'share/wrong-transcript', 'the message rests on another T1.');
}

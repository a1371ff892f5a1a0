// Silos that are not honest: what leaves them is not what their state machine signed.

import { hash, LABELS, type SignedType } from '../../src/crypto/index.js';
import { seal, siloSigner } from '../../src/protocol/index.js';
import {
  AdvertiseKeys,
  Complaint,
  Consistency,
  decode,
  MaskedHeader,
  ShareHeader,
  SharesChecked,
  Unmask,
  type Envelope,
  type MessageType,
} from '../../src/wire/index.js';
import type { Founded } from '../support/memory/founding.js';
import type { Outgoing } from './face.js';
import type { Operation } from './script.js';
import type { SimSilo } from './silo.js';

type Misdeed = Extract<Operation, { kind: 'misdeed' }>;

const WHOLE = 1 << 26;
/** After so many refusals a silo is silent: without an end it would try again twice a second until the phase closes. */
const DONE_MAX = 12;
const flipped = (bytes: Uint8Array): Uint8Array => bytes.map((byte, k) => (k === 0 ? byte ^ 1 : byte));

export function misbehave(
  silo: SimSilo,
  { misdeed, type }: Misdeed,
  founded: Founded,
  count: (what: string) => void,
): void {
  const again = <T>({ envelope }: Outgoing, codec: MessageType<T>, change: (message: T) => Partial<T>): Envelope => {
    const message = decode(codec, 'message', envelope.payload, WHOLE);
    // What a silo sends is signed under its type.
    const signed = envelope.type as SignedType;
    return seal(founded.keyOf(silo.id), siloSigner(silo.id), signed, codec, { ...message, ...change(message) });
  };
  const victim = silo.index === 0 ? 1 : 0;
  let done = 0;
  const doing = (wanted: SignedType, act: (out: Outgoing) => Outgoing | null): void => {
    silo.tamper = (out) => {
      if (out.envelope.type !== wanted) return out;
      if (++done > DONE_MAX) return null;
      count(`misdeed ${misdeed}`);
      return act(out);
    };
  };
  switch (misdeed) {
    case 'scripted':
      // The actor changes what leaves (attacks.ts).
      return;
    case 'cosigns-both':
      // The liar has its cosigning key (fork.ts); what the silo says itself is in order.
      return;
    case 'silent':
      doing(type, () => null);
      return;
    case 'bad-shares':
      // The ciphertext opens and its share does not match what was committed to.
      doing('share-header', (out) => ({
        ...out,
        envelope: again(out, ShareHeader, (header) => ({
          entries: header.entries.map((entry) =>
            entry.recipient === victim ? { ...entry, keyShareCommitment: flipped(entry.keyShareCommitment) } : entry,
          ),
        })),
      }));
      return;
    case 'bad-secret':
      // All shares match their commitments, and together they do not give the secret.
      doing('share-header', (out) => ({
        ...out,
        envelope: again(out, ShareHeader, ({ selfCommitment }) => ({ selfCommitment: flipped(selfCommitment) })),
      }));
      return;
    case 'false-complaint':
      doing('shares-checked', (out) => {
        const { t1, index } = decode(SharesChecked, 'shares-checked', out.envelope.payload);
        const checked = [...silo.state.jobs.values()].flatMap(({ open }) => [
          ...(open?.attempt.checked?.values() ?? []),
        ]);
        const dealer = checked.find(
          (one) => one.index !== index && one.header.entries.some((e) => e.recipient === index),
        );
        const entry = dealer?.header.entries.find((one) => one.recipient === index);
        if (dealer === undefined || entry === undefined) return out;
        const { ciphertextHash } = entry;
        const headerHash = hash(LABELS.shareHeader, dealer.payload);
        const complaint = { t1, index, dealer: dealer.index, ciphertextHash, headerHash };
        return {
          envelope: seal(founded.keyOf(silo.id), siloSigner(silo.id), 'complaint', Complaint, complaint),
          ciphertexts: [],
        };
      });
      return;
    case 'lying-tau':
      doing('consistency', (out) => ({
        ...out,
        envelope: again(out, Consistency, ({ tau0 }) => ({ tau0: tau0 ^ 1n })),
      }));
      return;
    case 'wrong-root':
      doing('masked-header', (out) => ({
        ...out,
        envelope: again(out, MaskedHeader, ({ root }) => ({ root: flipped(root) })),
      }));
      return;
    case 'garbage-release':
      doing('unmask', (out) => ({
        ...out,
        envelope: again(out, Unmask, ({ selfShares }) => ({
          selfShares: selfShares.map((one) => ({ ...one, share: flipped(one.share) })),
        })),
      }));
      return;
    case 'other-bytes':
      doing('advertise', (out) => ({
        ...out,
        envelope: again(out, AdvertiseKeys, ({ lastAckHash }) => ({
          lastAckHash: lastAckHash.length === 0 ? new Uint8Array(32).fill(silo.life) : lastAckHash,
        })),
      }));
  }
}

// P2: dealing shares and opening those that were dealt to us.

import { concat, equalBytes, u16be, type Hash } from '../base/index.js';
import {
  commitSelfSecret,
  commitShare,
  derive,
  hash,
  isAgreementKey,
  LABELS,
  openOnce,
  sealOnce,
  SECRET_BYTES,
  split,
  type AgreementKey,
  type SecretBytes,
} from '../crypto/index.js';
import type { ShareEntry, ShareHeader } from '../wire/index.js';
import type { AttemptSecrets } from './secrets.js';
import { demand, demanded } from './rejection.js';

/** Two shares and a tag. */
export const CIPHERTEXT_BYTES = 2 * SECRET_BYTES + 16;

export interface Dealt {
  readonly header: ShareHeader;
  /** One for each entry of the header, same order. */
  readonly ciphertexts: readonly Uint8Array[];
}

/** The two shares that one dealer gave us. */
export interface HeldShares {
  readonly self: Uint8Array;
  readonly key: Uint8Array;
}

/**
 * Shares of both secrets for every member of U1 that the graph has hold them, itself included: its own share is committed like any other
 * and released later. `members`: channel key by cohort index of those. `t`: shares that give a secret back.
 */
export function deal(
  secrets: AttemptSecrets,
  own: number,
  t1: Hash,
  n: number,
  t: number,
  members: ReadonlyMap<number, Uint8Array>,
): Dealt {
  const selfShares = secrets.selfSecret.lend((s) => split(s, n, t, secrets.coefficients('self', t)));
  const keyShares = secrets.maskSecret.lend((s) => split(s, n, t, secrets.coefficients('key', t)));
  const entries: ShareEntry[] = [];
  const ciphertexts: Uint8Array[] = [];
  for (const [recipient, channelKey] of [...members].sort(([a], [b]) => a - b)) {
    const self = selfShares[recipient] ?? new Uint8Array();
    const key = keyShares[recipient] ?? new Uint8Array();
    const ephemeral = secrets.ephemeral(recipient);
    using sealing = demanded(
      shareKey(ephemeral, channelKey, t1, own, recipient),
      'keys/low-order',
      `the channel key of member ${String(recipient)} is of low order.`,
    );
    const plain = concat(self, key);
    const ciphertext = sealOnce(sealing, associatedData(t1, own, recipient), plain);
    plain.fill(0);
    ciphertexts.push(ciphertext);
    entries.push({
      recipient,
      ephemeralKey: ephemeral.publicKey,
      ciphertextHash: hash(LABELS.shareCiphertext, ciphertext),
      selfShareCommitment: commitShare('self', t1, own, recipient, self),
      keyShareCommitment: commitShare('key', t1, own, recipient, key),
    });
  }
  for (const share of [...selfShares, ...keyShares]) share.fill(0);
  const selfCommitment = secrets.selfSecret.lend((s) => commitSelfSecret(t1, own, s));
  return { header: { t1, index: own, selfCommitment, entries }, ciphertexts };
}

/** Checks a header's own shape: entries for exactly the holders in U1, distinct ephemeral keys of high order, full-length hashes. */
export function demandHeaderShape(header: ShareHeader, t1: Hash, holders: readonly number[]): void {
  const who = `the share header of member ${String(header.index)}`;
  demand(equalBytes(header.t1, t1), 'share/wrong-transcript', `${who} rests on another T1.`);
  const expected = [...holders].sort((a, b) => a - b);
  demand(
    header.entries.length === expected.length && header.entries.every((entry, k) => entry.recipient === expected[k]),
    'share/entries',
    `${who} does not have one entry for each member of U1 that holds its shares, in order.`,
  );
  const full = (bytes: Uint8Array): boolean => bytes.length === 32;
  demand(
    full(header.selfCommitment) &&
      header.entries.every((e) => full(e.ciphertextHash) && full(e.selfShareCommitment) && full(e.keyShareCommitment)),
    'share/entries',
    `${who} has hashes or commitments that are not 32 bytes long.`,
  );
  demand(
    areDistinct(header.entries.map((entry) => entry.ephemeralKey)) &&
      header.entries.every((entry) => isAgreementKey(entry.ephemeralKey)),
    'share/repeated-key',
    `${who} uses an ephemeral key twice, or one of low order.`,
  );
}

/** Compares by the first bytes, and in full only those that have them in common: n headers of n keys come to every silo. */
function areDistinct(keys: readonly Uint8Array[]): boolean {
  const seen = new Map<number, Uint8Array[]>();
  for (const key of keys) {
    const [a = 0, b = 0, c = 0, d = 0] = key;
    const start = a + 256 * b + 65_536 * c + 16_777_216 * d;
    const alike = seen.get(start);
    if (alike === undefined) seen.set(start, [key]);
    else if (alike.some((one) => equalBytes(one, key))) return false;
    else alike.push(key);
  }
  return true;
}

/**
 * Opens the ciphertext that `header`'s dealer made for us. Throws Refusal `share/ciphertext-hash` when the coordinator changed it,
 * and `share/bad-ciphertext` when what the dealer signed is wrong.
 */
export function openShares(
  channel: AgreementKey,
  own: number,
  header: ShareHeader,
  ciphertext: Uint8Array | undefined,
  t1: Hash,
): HeldShares {
  const from = `from member ${String(header.index)}`;
  const entry = entryFor(header, own);
  const sealed = demanded(ciphertext, 'share/missing', `the ciphertext ${from} was not delivered.`);
  demand(
    equalBytes(hash(LABELS.shareCiphertext, sealed), entry.ciphertextHash),
    'share/ciphertext-hash',
    `the ciphertext ${from} is not the one that was signed.`,
  );
  using opening = shareKey(channel, entry.ephemeralKey, t1, header.index, own);
  return demanded(
    openWith(opening, header, own, sealed, t1),
    'share/bad-ciphertext',
    `the ciphertext ${from} does not open, or its shares do not match their commitments.`,
  );
}

/** The entry of a header for one recipient. Throws Refusal `share/entries`. */
export function entryFor(header: ShareHeader, recipient: number): ShareEntry {
  return demanded(
    header.entries.find((e) => e.recipient === recipient),
    'share/entries',
    `member ${String(header.index)} has no entry for member ${String(recipient)}.`,
  );
}

/** The shares in a ciphertext as its dealer signed it, opened with the dealer's own one-time key: what an answer to a complaint allows. */
export function openAsDealer(
  ephemeral: AgreementKey,
  channelKey: Uint8Array,
  header: ShareHeader,
  recipient: number,
  ciphertext: Uint8Array,
  t1: Hash,
): HeldShares | undefined {
  using opening = shareKey(ephemeral, channelKey, t1, header.index, recipient);
  return openWith(opening, header, recipient, ciphertext, t1);
}

/** Undefined unless the ciphertext opens to two shares that match what the dealer committed to. */
function openWith(
  opening: SecretBytes | undefined,
  header: ShareHeader,
  recipient: number,
  sealed: Uint8Array,
  t1: Hash,
): HeldShares | undefined {
  const plain =
    opening === undefined ? undefined : openOnce(opening, associatedData(t1, header.index, recipient), sealed);
  if (plain?.length !== 2 * SECRET_BYTES) return undefined;
  const held = { self: plain.slice(0, SECRET_BYTES), key: plain.slice(SECRET_BYTES) };
  const good =
    shareMatches(header, 'self', t1, recipient, held.self) && shareMatches(header, 'key', t1, recipient, held.key);
  return good ? held : undefined;
}

/** True when a share is the one that its dealer committed to for this recipient. */
export function shareMatches(
  header: ShareHeader,
  kind: 'self' | 'key',
  t1: Hash,
  recipient: number,
  share: Uint8Array,
): boolean {
  const entry = header.entries.find((e) => e.recipient === recipient);
  if (entry === undefined) return false;
  const commitment = kind === 'self' ? entry.selfShareCommitment : entry.keyShareCommitment;
  return equalBytes(commitment, commitShare(kind, t1, header.index, recipient, share));
}

function shareKey(
  own: AgreementKey,
  peer: Uint8Array,
  t1: Hash,
  dealer: number,
  recipient: number,
): SecretBytes<'share-encryption'> | undefined {
  using shared = own.agree(peer);
  return shared?.lend((ikm) =>
    derive<'share-encryption'>(ikm, t1, LABELS.shareEncryption, [u16be(dealer), u16be(recipient)]),
  );
}

function associatedData(t1: Hash, dealer: number, recipient: number): Uint8Array {
  return hash(LABELS.shareAssociatedData, t1, u16be(dealer), u16be(recipient));
}

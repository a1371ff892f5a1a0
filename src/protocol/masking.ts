// P3: the masks. y_i = q_i + stream(B_i) + Σ_{j>i} stream(K_ij) − Σ_{j<i} stream(K_ij) in Z_{2^m}, j over U2 or,
// with a regular graph, over the neighbours in it (docs/protocol.md §2.3, §2.10).
// Works on ranges of the vector, so that a vector streams through in pieces and workers can take ranges.

import { invariant, u16be, type Hash } from '../base/index.js';
import { AgreementKey, derive, Keystream, KEYSTREAM_BLOCK_BYTES, LABELS, type SecretBytes } from '../crypto/index.js';
import { maskPiece, PIECE_WORDS, reduceInto, wipeKernel, type FillBytes } from '../vector/index.js';
import type { MaskingGraph } from './graph.js';
import { demanded } from './rejection.js';

/** AES-256 keys, 32 bytes each, of streams to add and to subtract. */
export interface MaskKeys {
  readonly add: readonly Uint8Array[];
  readonly subtract: readonly Uint8Array[];
}

const WORD_BYTES = 4;
/** Ranges start at whole AES blocks. */
export const RANGE_ALIGNMENT = KEYSTREAM_BLOCK_BYTES / WORD_BYTES;

/** Adds and subtracts the streams on words [start, start + words.length) of the vector, in place, mod 2^m. */
export function applyMasks(words: Int32Array, start: number, keys: MaskKeys, modulusBits: number): void {
  invariant(start % RANGE_ALIGNMENT === 0, 'a range of masked words starts at a whole keystream block');
  const block = start / RANGE_ALIGNMENT;
  const streamOf = (key: Uint8Array): FillBytes => {
    const stream = new Keystream(key, block);
    return (into) => {
      stream.fill(into);
    };
  };
  const add = keys.add.map(streamOf);
  const subtract = keys.subtract.map(streamOf);
  for (let at = 0; at < words.length; at += PIECE_WORDS) {
    const piece = words.subarray(at, Math.min(at + PIECE_WORDS, words.length));
    maskPiece(piece, add, subtract);
    reduceInto(piece, modulusBits);
  }
  wipeKernel();
}

/** B_i, the key of a silo's self mask. */
export function selfMaskKey(selfSecret: SecretBytes, t2: Hash, index: number): SecretBytes<'self-mask'> {
  return selfSecret.lend((ikm) => derive<'self-mask'>(ikm, t2, LABELS.selfMask, [u16be(index)]));
}

/** K_ij, the key of the mask that i and j share. Throws Refusal `keys/low-order`. */
export function pairMaskKey(
  own: AgreementKey,
  ownIndex: number,
  peer: Uint8Array,
  peerIndex: number,
  t2: Hash,
): SecretBytes<'pair-mask'> {
  using shared = demanded(
    own.agree(peer),
    'keys/low-order',
    `the mask key of member ${String(peerIndex)} is of low order.`,
  );
  const info = [u16be(Math.min(ownIndex, peerIndex)), u16be(Math.max(ownIndex, peerIndex))];
  return shared.lend((ikm) => derive<'pair-mask'>(ikm, t2, LABELS.pairMask, info));
}

/** All masks of silo i. `peers`: mask key by cohort index, over its neighbours in U2. The keys are for a mask computation, which wipes them. */
export function inputMasks(
  mask: AgreementKey,
  selfSecret: SecretBytes,
  own: number,
  peers: ReadonlyMap<number, Uint8Array>,
  t2: Hash,
): MaskKeys {
  const add = [selfMaskKey(selfSecret, t2, own).reveal()];
  const subtract: Uint8Array[] = [];
  for (const [j, publicKey] of peers)
    (j > own ? add : subtract).push(pairMaskKey(mask, own, publicKey, j, t2).reveal());
  return { add, subtract };
}

/**
 * What is left in the sum of U3 after the pairwise masks cancel: the self masks of the survivors, and the masks that survivors share
 * with those of their neighbours who dealt shares and did not survive. Removing means adding `add` and subtracting `subtract`.
 * `selfSecrets`: of U3, by index. `maskSecrets`: of U2 \ U3, by index. `maskKeys`: public mask keys of U3, by index.
 */
export function remainingMasks(
  selfSecrets: ReadonlyMap<number, SecretBytes>,
  maskSecrets: ReadonlyMap<number, SecretBytes>,
  maskKeys: ReadonlyMap<number, Uint8Array>,
  t2: Hash,
  graph: Pick<MaskingGraph, 'adjacent'>,
): MaskKeys {
  const add: Uint8Array[] = [];
  const subtract: Uint8Array[] = [];
  for (const [i, secret] of selfSecrets) subtract.push(selfMaskKey(secret, t2, i).reveal());
  for (const [gone, secret] of maskSecrets) {
    const key = AgreementKey.from(secret);
    // Survivor i had added stream(K_i,gone) when gone > i and subtracted it otherwise.
    for (const [i, publicKey] of maskKeys)
      if (graph.adjacent(i, gone)) (gone > i ? subtract : add).push(pairMaskKey(key, gone, publicKey, i, t2).reveal());
  }
  return { add, subtract };
}

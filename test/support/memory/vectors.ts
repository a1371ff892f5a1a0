// The vector work of both roles on whole vectors in memory: what the programs do in pieces and in workers.

import { hex, type Hash } from '../../../src/base/index.js';
import { hash, LABELS, sha256 } from '../../../src/crypto/index.js';
import {
  applyMasks,
  InputRoot,
  layoutOfRound,
  openPiece,
  PIECE_COORDINATES,
  remainingMasks,
  sumHasher,
  VectorCheck,
  weightStreams,
  type CheckedResult,
  type CoordinatorEffect,
  type MaskKeys,
  type SurvivorSet,
} from '../../../src/protocol/index.js';
import { Outcome } from '../../../src/wire/index.js';
import { Fingerprint, pack, packWords, sumWidth, unpackInto, unpackWords } from '../../../src/vector/index.js';

export interface Blob {
  readonly sha256: Uint8Array;
  readonly size: bigint;
}

export function blobOf(bytes: Uint8Array): Blob {
  return { sha256: sha256(bytes), size: BigInt(bytes.length) };
}

export function masked(
  q: Int32Array,
  masks: MaskKeys,
  bits: number,
): { words: Int32Array; bytes: Uint8Array; root: Hash } {
  const words = q.slice();
  applyMasks(words, 0, masks, bits);
  const bytes = packWords(words, bits);
  return { words, bytes, root: new InputRoot().update(bytes).digest() };
}

export function fingerprintsOf(values: ArrayLike<number>, survivors: SurvivorSet): [bigint, bigint] {
  const weights = weightStreams(survivors.t3);
  const prints = weights.map((stream) => {
    const print = new Fingerprint();
    print.update(values, stream.next(values.length));
    return print.digest();
  });
  return [prints[0]!, prints[1]!];
}

export function rootOf(bytes: Uint8Array): Hash {
  return new InputRoot().update(bytes).digest();
}

/** Y as packed bytes. */
export function sumInputs(inputs: readonly Uint8Array[], length: number, bits: number): Uint8Array {
  const sums = new Float64Array(length);
  for (const bytes of inputs) unpackWords(bytes, length, bits).forEach((word, k) => (sums[k]! += word));
  return pack(sums, sumWidth(bits));
}

/** Y after somebody has changed it; values are taken modulo what the width holds. */
export function changedSum(
  bytes: Uint8Array,
  length: number,
  bits: number,
  change: (sum: Float64Array) => void,
): Uint8Array {
  const width = sumWidth(bits);
  const sums = new Float64Array(length);
  unpackInto(sums, bytes, width);
  change(sums);
  return pack(
    sums.map((value) => ((value % 2 ** width) + 2 ** width) % 2 ** width),
    width,
  );
}

export function hashSum(bytes: Uint8Array): Hash {
  return sumHasher('sum').update(bytes).digest();
}

/** X as little-endian signed words. */
export function openSum(effect: Extract<CoordinatorEffect, { kind: 'open-sum' }>, sum: Float64Array): Int32Array {
  const { keys, dealers, survivors, secrets, context } = effect;
  const maskKeys = new Map([...survivors.members.keys()].map((i) => [i, keys.members.get(i)!.maskKey]));
  const masks = remainingMasks(secrets.self, secrets.key, maskKeys, dealers.t2, keys.graph);
  return openPiece(sum, 0, masks, context.manifest.modulusBits);
}

export function bytesOf(words: Int32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength).slice();
}

/** What a verified sum means: outcome and the next model. */
export type Judge = (
  context: CheckedResult['context'],
  opened: Int32Array,
  survivors: number,
) => { readonly outcome: Outcome; readonly newModelHash: Uint8Array; readonly endsJob?: boolean };

/** Where a test says nothing else. */
export const judgeByHash: Judge = ({ plan }, opened) => ({
  outcome: Outcome.OUTCOME_APPLIED,
  newModelHash: nextModel(plan.modelHash, bytesOf(opened)),
});

/** What these tests use for an update rule: the next model is a hash of the last one and the sum. */
export function nextModel(model: Uint8Array, opened: Uint8Array): Hash {
  return hash(LABELS.model, model, opened);
}

/** All of §2.3 P6 that needs vectors, by the pieces the programs use. */
export function verifyVectors(
  result: CheckedResult,
  fetch: (hash: string) => Uint8Array,
  missing: readonly Uint8Array[],
): Uint8Array {
  const check = new VectorCheck(result);
  const length = layoutOfRound(result.context.manifest, result.context.plan.round).length;
  if (length > PIECE_COORDINATES) throw new Error('these tests use one piece');
  result.missing.forEach((index, k) => {
    const input = check.missingInput(index);
    input.update(fetch(hex(missing[k]!)));
    input.finish();
  });
  const sum = fetch(`sum ${hex(result.survivors.sumHash)}`);
  const opened = fetch(`opened ${hex(result.openedHash)}`);
  const own = bytesOf(check.update(sum, opened));
  check.finish();
  return own;
}

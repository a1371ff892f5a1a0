// A fingerprint against the input that its silo had signed: the one proof that needs a whole masked vector.

import { asHash, equalBytes, hex } from '../../base/index.js';
import { hash, LABELS } from '../../crypto/index.js';
import {
  fromBitmap,
  InputRoot,
  PIECE_COORDINATES,
  requestOf,
  ridOf,
  weightStreams,
  type Case,
  type Conviction,
} from '../../protocol/index.js';
import { Fingerprint, MODULUS_BITS_MAX, MODULUS_BITS_MIN, packedBytes, unpackWords } from '../../vector/index.js';
import { decode, MaskedHeader, type Consistency, type ConsistencyRequest } from '../../wire/index.js';
import { AUDIT_LIMITS } from '../limits.js';

/** A masked input by its root, in any pieces; undefined when it is not at hand. */
export type InputByRoot = (
  root: Uint8Array,
) => { readonly size: number; slice(at: number, length: number): Uint8Array } | undefined;

/** `missing`: takes what would be needed to say more. */
export function lyingFingerprints(found: Case, inputOf: InputByRoot, missing: (what: string) => void): Conviction[] {
  return found.of('consistency').flatMap(({ signer, message }): Conviction[] => {
    const request = requestOf(found, message.t3);
    const header = request === undefined ? undefined : headerIn(request.message, message.index);
    if (request === undefined || header === undefined) return [];
    const bits = modulusBits(found, request.message.rid);
    if (bits === undefined) return [];
    const input = inputOf(header.root);
    if (input === undefined) {
      missing(`the masked input of ${signer} with the root ${hex(header.root)}`);
      return [];
    }
    const taus = tausOf(input, header, bits, message);
    if (taus === undefined) {
      missing(`the masked input of ${signer} with the root ${hex(header.root)}: what was given is another one`);
      return [];
    }
    if (taus[0] === message.tau0 && taus[1] === message.tau1) return [];
    return [
      {
        accused: signer,
        charge: 'lying-fingerprint',
        message: `${signer} signed a fingerprint that is not that of the input it had signed (root ${hex(header.root).slice(0, 16)}…).`,
      },
    ];
  });
}

/** The header of a member inside the request: who signed T3 has found its own there. */
function headerIn(request: ConsistencyRequest, index: number): MaskedHeader | undefined {
  const place = fromBitmap(request.survivors, request.survivors.length * 8)?.indexOf(index) ?? -1;
  const envelope = request.headers[place];
  if (envelope === undefined) return undefined;
  const header = decode(MaskedHeader, 'masked-header', envelope.payload);
  return header.index === index && header.length <= BigInt(AUDIT_LIMITS.coordinates) ? header : undefined;
}

/** m of the round, from the manifest behind its plan: both hang on the rid. */
function modulusBits(found: Case, rid: Uint8Array): number | undefined {
  const plan = found.of('plan').find(({ payload }) => equalBytes(ridOf(payload), rid));
  const manifest = found
    .of('manifest')
    .find(({ payload }) => plan !== undefined && equalBytes(hash(LABELS.manifest, payload), plan.message.manifestHash));
  const bits = manifest?.message.modulusBits ?? 0;
  return bits >= MODULUS_BITS_MIN && bits <= MODULUS_BITS_MAX ? bits : undefined;
}

/** The fingerprints of the input under the weights of T3; undefined when it is not the input with this root. */
function tausOf(
  input: NonNullable<ReturnType<InputByRoot>>,
  header: MaskedHeader,
  bits: number,
  { t3: named }: Consistency,
): [bigint, bigint] | undefined {
  const length = Number(header.length);
  const t3 = asHash(named);
  if (t3 === undefined || input.size !== packedBytes(length, bits)) return undefined;
  const prints = [new Fingerprint(), new Fingerprint()] as const;
  const weights = weightStreams(t3);
  const root = new InputRoot();
  const piece = packedBytes(PIECE_COORDINATES, bits);
  for (let at = 0; at < length; at += PIECE_COORDINATES) {
    const bytes = input.slice((at / PIECE_COORDINATES) * piece, piece);
    const count = Math.min(PIECE_COORDINATES, length - at);
    root.update(bytes);
    const words = unpackWords(bytes, count, bits);
    prints.forEach((print, s) => {
      print.update(words, weights[s]?.next(count) ?? new Uint8Array());
    });
  }
  return equalBytes(root.digest(), header.root) ? [prints[0].digest(), prints[1].digest()] : undefined;
}

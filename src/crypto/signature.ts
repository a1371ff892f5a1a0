// Ed25519 (RFC 8032), verified without the cofactor, with canonical encodings and S < L. Two implementations that agree on every
// input: node:crypto for agents and coordinator, noble for the auditor. noble's equation has the cofactor, so there R is also
// required to be free of torsion; public keys are checked once, when they enter a roster (docs/protocol.md §2.1).

import { createPublicKey, sign as nodeSign, verify as nodeVerify, type KeyObject } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { invariant, labelled } from '../base/index.js';
import { toBase64Url } from './encoding.js';
import { signatureLabel, type SignedType } from './labels.js';
import { importPrivateKey, publicHalf } from './private-key.js';
import type { SecretBytes } from './secret.js';

export const SIGNATURE_BYTES = 64;
export const VERIFYING_KEY_BYTES = 32;
/** The first printable character; what is below it begins no line of a note. */
const FIRST_OF_TEXT = 0x20;

export class SigningKey {
  readonly publicKey: Uint8Array<ArrayBuffer>;
  readonly #key: KeyObject;

  private constructor(key: KeyObject) {
    this.#key = key;
    this.publicKey = publicHalf(key);
  }

  /** `seed`: the 32 bytes of RFC 8032 §5.1.5. */
  static from(seed: SecretBytes): SigningKey {
    return new SigningKey(importPrivateKey('Ed25519', seed));
  }

  /** 64 bytes over the payload under its type's label. Deterministic: signing again gives the same bytes. */
  sign(type: SignedType, payload: Uint8Array): Uint8Array<ArrayBuffer> {
    const signature = nodeSign(null, labelled(signatureLabel(type), payload), this.#key);
    return Uint8Array.from(signature);
  }

  /**
   * 64 bytes over the message as it is, without a label: for C2SP notes and cosignatures of the log (docs/protocol.md §4) and nothing
   * else. A note is text, so it never begins as a labelled payload does (`u16be` of a length below 256, a zero byte).
   */
  signNote(message: Uint8Array): Uint8Array<ArrayBuffer> {
    invariant((message[0] ?? 0) >= FIRST_OF_TEXT, 'only text is signed without a label');
    return Uint8Array.from(nodeSign(null, message, this.#key));
  }

  toJSON(): never {
    throw new Error('a signing key cannot become JSON');
  }
}

/** Verifies with OpenSSL. */
export function verifySignature(
  publicKey: Uint8Array,
  type: SignedType,
  payload: Uint8Array,
  signature: Uint8Array,
): boolean {
  return verifyRaw(publicKey, labelled(signatureLabel(type), payload), signature);
}

/** Verifies what `SigningKey.signNote` signs, with OpenSSL. */
export function verifyNoteSignature(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  return (message[0] ?? 0) >= FIRST_OF_TEXT && verifyRaw(publicKey, message, signature);
}

function verifyRaw(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES || publicKey.length !== VERIFYING_KEY_BYTES) return false;
  return nodeVerify(null, message, importKey(publicKey), signature);
}

// Importing a key costs about as much as half a verification; a consortium has few keys and they sign often.
const imported = new Map<string, KeyObject>();
const IMPORTED_MAX = 2048;

function importKey(publicKey: Uint8Array): KeyObject {
  const x = toBase64Url(publicKey);
  const known = imported.get(x);
  if (known !== undefined) return known;
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  if (imported.size >= IMPORTED_MAX) imported.clear();
  imported.set(x, key);
  return key;
}

/** Verifies with noble, the auditor's independent implementation of the same rule. */
export function verifySignatureIndependently(
  publicKey: Uint8Array,
  type: SignedType,
  payload: Uint8Array,
  signature: Uint8Array,
): boolean {
  return verifyRawIndependently(publicKey, labelled(signatureLabel(type), payload), signature);
}

/** Verifies what `SigningKey.signNote` signs, with noble. */
export function verifyNoteSignatureIndependently(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  return (message[0] ?? 0) >= FIRST_OF_TEXT && verifyRawIndependently(publicKey, message, signature);
}

function verifyRawIndependently(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES || publicKey.length !== VERIFYING_KEY_BYTES) return false;
  try {
    if (!ed25519.Point.fromBytes(signature.subarray(0, 32), false).isTorsionFree()) return false;
    return ed25519.verify(signature, message, publicKey, { zip215: false });
  } catch {
    // noble throws on encodings that are not canonical.
    return false;
  }
}

// A millisecond each, and the largest roster has 800: whoever reads it again pays for it once.
const found = new Set<string>();

/** True for a key that may enter a roster: canonical encoding, on the curve, of prime order. */
export function isVerifyingKey(publicKey: Uint8Array): boolean {
  if (publicKey.length !== VERIFYING_KEY_BYTES) return false;
  const name = toBase64Url(publicKey);
  if (found.has(name)) return true;
  try {
    const point = ed25519.Point.fromBytes(publicKey, false);
    const valid = !point.is0() && point.isTorsionFree();
    if (found.size >= IMPORTED_MAX) found.clear();
    if (valid) found.add(name);
    return valid;
  } catch {
    // noble throws on encodings that are not canonical or not on the curve.
    return false;
  }
}

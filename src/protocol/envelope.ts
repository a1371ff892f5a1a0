// Opening and making envelopes: verify and hash the received payload bytes first, parse afterwards (docs/protocol.md §2.1).

import { equalBytes, labelled, LIMITS } from '../base/index.js';
import {
  signatureLabel,
  SIGNATURE_BYTES,
  VERIFYING_KEY_BYTES,
  type SignedType,
  type SigningKey,
} from '../crypto/index.js';
import { decode, encode, type Envelope, type MessageType } from '../wire/index.js';
import { demand, demanded } from './rejection.js';
import type { Roster } from './roster.js';
import { ValidBefore } from './valid-before.js';

export interface Opened<T> {
  readonly message: T;
  readonly payload: Uint8Array;
  readonly signer: string;
}

/**
 * The message inside, signed by `signer` under `type`. Throws Refusal `envelope/…`, WireError `wire/…`. Limits: the payload has at
 * most `maxBytes` bytes.
 */
export function openEnvelope<T>(
  roster: Roster,
  envelope: Envelope | undefined,
  expected: { readonly type: SignedType; readonly signer: string },
  codec: MessageType<T>,
  maxBytes: number = LIMITS.envelopePayloadBytes,
): Opened<T> {
  const { type, signer } = expected;
  const given = demanded(envelope, 'envelope/wrong-type', `expected a signed ${type}, got nothing.`);
  demand(given.type === type, 'envelope/wrong-type', `expected a signed ${type}, got "${given.type.slice(0, 40)}".`);
  demand(
    given.signer === signer,
    'envelope/wrong-signer',
    `a ${type} from ${signer} was expected, "${given.signer.slice(0, 80)}" signed it.`,
  );
  const key = demanded(
    roster.keyOf(signer),
    'envelope/unknown-signer',
    `${signer} is not in the roster.`,
    'membership',
  );
  demand(
    given.payload.length <= maxBytes && isSigned(roster, key, given, type),
    'envelope/bad-signature',
    `the signature of ${signer} on a ${type} does not verify.`,
  );
  return { message: decode(codec, type, given.payload, maxBytes), payload: given.payload, signer };
}

/** One memory for each roster as it was read: whoever shares a process verifies for itself. */
const memories = new WeakMap<Roster, ValidBefore>();

function isSigned(roster: Roster, key: Uint8Array, { payload, signature }: Envelope, type: SignedType): boolean {
  if (key.length !== VERIFYING_KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
  const known = memories.get(roster) ?? new ValidBefore(LIMITS.verifiedSignatures);
  memories.set(roster, known);
  return known.check([key, signature, labelled(signatureLabel(type)), payload], () =>
    roster.verify(key, type, payload, signature),
  );
}

/** Signs a message as `signer`. */
export function seal<T>(
  key: SigningKey,
  signer: string,
  type: SignedType,
  codec: MessageType<T>,
  message: T,
): Envelope {
  const payload = encode(codec, message);
  return { payload, signer, signature: key.sign(type, payload), type };
}

/** Same payload, signer, type and signature. */
export function equalEnvelopes(a: Envelope, b: Envelope): boolean {
  return (
    a.type === b.type &&
    a.signer === b.signer &&
    equalBytes(a.payload, b.payload) &&
    equalBytes(a.signature, b.signature)
  );
}

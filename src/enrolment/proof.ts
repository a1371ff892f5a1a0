// The signature of the protocol key under a request for a certificate: made by the member, checked by the authority.

import { equalBytes, LIMITS } from '../base/index.js';
import type { SigningKey } from '../crypto/index.js';
import type { Identity } from '../pki/index.js';
import { openEnvelope, Refusal, seal, type Roster } from '../protocol/index.js';
import { CertificateRequest, type Envelope, WireError } from '../wire/index.js';
import { EnrolmentError } from './errors.js';

const VERSION = 1;

/** The signer string of a member in the roster: `silo/a`, `coordinator`. */
export function signerOf({ role, id }: Identity): string {
  return role === 'coordinator' ? 'coordinator' : `${role}/${id}`;
}

export interface Proof {
  readonly consortium: string;
  readonly identity: Identity;
  /** SHA-256 of the token's secret, or of the DER of the certificate that is renewed. */
  readonly basis: Uint8Array;
}

export function prove(key: SigningKey, { consortium, identity, basis }: Proof, requestPem: string): Envelope {
  return seal(key, signerOf(identity), 'certificate-request', CertificateRequest, {
    version: VERSION,
    consortiumId: consortium,
    requestPem,
    basis,
  });
}

/** The PKCS #10 request inside. Throws EnrolmentError `enrolment/not-in-roster`, `enrolment/unproven`. */
export function checkProof(roster: Roster, envelope: Envelope | undefined, proof: Proof): string {
  const signer = signerOf(proof.identity);
  if (roster.keyOf(signer) === undefined)
    throw new EnrolmentError('enrolment/not-in-roster', `the roster of the authority does not name ${signer}.`);
  const { version, consortiumId, requestPem, basis } = opened(roster, envelope, signer);
  if (version !== VERSION || consortiumId !== proof.consortium || !equalBytes(basis, proof.basis))
    throw new EnrolmentError('enrolment/unproven', 'the signed request is about another token or certificate.');
  return requestPem;
}

function opened(roster: Roster, envelope: Envelope | undefined, signer: string): CertificateRequest {
  try {
    const expected = { type: 'certificate-request', signer } as const;
    return openEnvelope(roster, envelope, expected, CertificateRequest, LIMITS.certificateBytes).message;
  } catch (cause) {
    if (!(cause instanceof Refusal) && !(cause instanceof WireError)) throw cause;
    throw new EnrolmentError('enrolment/unproven', cause.message, { cause });
  }
}

// Everything that can be wrong with a certificate, a key file or a request. Messages name serials, names and times, never key material.

import { CodedError, defineErrors } from '../base/index.js';

export const PKI_ERRORS = defineErrors({
  'pki/bad-name':
    'A consortium or member name is not a lower-case label of letters, digits and inner hyphens, at most 63 characters: choose another name.',
  'pki/bad-lifetime':
    'A lifetime is not positive, or a certificate would outlive its authority: ask for a shorter one.',
  'pki/bad-host': 'A DNS name or IP address for the coordinator cannot be read, or another role asked for one.',
  'pki/unreadable': 'A file or a peer’s certificate is not what it should be (PEM or DER of the expected kind).',
  'pki/not-an-authority':
    'A certificate is used as an authority that is none: name the CA certificate that init wrote.',
  'pki/key-mismatch': 'A private key does not belong to the certificate beside it: put the matching pair together.',
  'pki/request-unproven':
    'A certificate request is not signed by the key it asks for, or its key is not on P-256: create it again with veilsum-ca request.',
  'pki/authority-exists':
    'The folder already holds an authority: use another folder, or --force to replace it for good.',
  'pki/rollover-order': 'A step of a roll-over of the authority comes out of turn: begin, then switch, then finish.',
  'pki/other-member': 'A bundle on disk is another member’s than the one in use: put the right one back.',
  'pki/no-uri': 'The certificate names no member: it has no URI among its subject alternative names.',
  'pki/many-uris': 'The certificate names more than one URI: exactly one is accepted.',
  'pki/not-spiffe': 'The certificate’s URI is not of the form spiffe://consortium/role/id.',
  'pki/other-consortium': 'The certificate belongs to another consortium.',
  'pki/is-authority': 'A certificate authority’s own certificate cannot be a peer’s identity.',
  'pki/wrong-usage': 'The certificate may not be used for this side of a connection (extended key usage).',
  'pki/not-yet-valid': 'The certificate is not valid yet: compare the clocks of both machines.',
  'pki/expired': 'The certificate has expired: issue a new one.',
  'pki/revoked': 'The certificate has been revoked by the consortium.',
  'pki/bad-revocation-list': 'The revocation list cannot be read: each line holds one serial number in hexadecimal.',
});

export type PkiErrorCode = keyof typeof PKI_ERRORS;

export class PkiError extends CodedError<PkiErrorCode> {
  override readonly name = 'PkiError';
}

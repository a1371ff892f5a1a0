// From the certificate that a TLS peer presented to the member it speaks for. TLS has checked the chain; this checks what TLS does not:
// that it names exactly one member of this consortium, in a role that may stand on that side, now.

import { createHash } from 'node:crypto';
import type { Result, UnixMs } from '../base/index.js';
import { err, isoTime, ok, unixMs } from '../base/index.js';
import { PkiError } from './errors.js';
import type { Identity, Role } from './identity.js';
import { parseIdentityUri } from './identity.js';
import { usageOf } from './issue.js';
import type { Revocations } from './revocation.js';
import { canonicalSerial, parseCertificate, x509 } from './x509.js';

export interface PeerIdentity extends Identity {
  readonly role: Role;
  /** The URI as it stands in the certificate, for the comparison with the roster's TLS identity. */
  readonly uri: string;
  /** Lower-case hexadecimal without leading zeros. */
  readonly serial: string;
  readonly notBefore: UnixMs;
  readonly notAfter: UnixMs;
  /** SHA-256 of the DER bytes, lower-case hexadecimal. */
  readonly fingerprint: string;
}

/** Reads a peer's DER certificate. Pure in its arguments, so the answer may be kept per connection; `checkPeerNow` is for every call. */
export function identityFromCertificate(
  der: Uint8Array,
  consortium: string,
  now: UnixMs,
): Result<PeerIdentity, PkiError> {
  // Extensions, numbers and times are parsed when they are asked for, so each of the readings below may find that it cannot.
  try {
    return identityOf(parseCertificate(der), der, consortium, now);
  } catch (cause) {
    return err(cause instanceof PkiError ? cause : new PkiError('pki/unreadable', 'not a certificate', { cause }));
  }
}

function identityOf(
  certificate: x509.X509Certificate,
  der: Uint8Array,
  consortium: string,
  now: UnixMs,
): Result<PeerIdentity, PkiError> {
  const uri = onlyUri(certificate);
  if (!uri.ok) return uri;
  const identity = parseIdentityUri(uri.value, consortium);
  if (!identity.ok) return identity;
  // An absent extension would mean "no authority" and "any use": certificates of this consortium always state both.
  if (certificate.getExtension(x509.BasicConstraintsExtension)?.ca !== false)
    return err(
      new PkiError('pki/is-authority', `the certificate of ${uri.value} does not say that it is no authority`),
    );
  const usages = certificate.getExtension(x509.ExtendedKeyUsageExtension)?.usages ?? [];
  const [usage, ...others] = usages;
  if (usage !== usageOf(identity.value) || others.length > 0)
    return err(
      new PkiError('pki/wrong-usage', `the certificate of ${uri.value} is not made for a ${identity.value.role}`),
    );

  const peer: PeerIdentity = {
    ...identity.value,
    uri: uri.value,
    serial: canonicalSerial(certificate.serialNumber),
    notBefore: unixMs(certificate.notBefore.getTime()),
    notAfter: unixMs(certificate.notAfter.getTime()),
    fingerprint: createHash('sha256').update(der).digest('hex'),
  };
  const refusal = checkPeerNow(peer, now);
  return refusal === undefined ? ok(peer) : err(refusal);
}

/** What can change while a connection lives: time and revocation. Cheap; for every call. Undefined when all is well. */
export function checkPeerNow(peer: PeerIdentity, now: UnixMs, revocations?: Revocations): PkiError | undefined {
  if (now < peer.notBefore)
    return new PkiError('pki/not-yet-valid', `the certificate of ${peer.uri} begins at ${isoTime(peer.notBefore)}`);
  if (now > peer.notAfter)
    return new PkiError('pki/expired', `the certificate of ${peer.uri} ended at ${isoTime(peer.notAfter)}`);
  if (revocations?.isRevoked(peer.serial) === true)
    return new PkiError('pki/revoked', `the certificate ${peer.serial} of ${peer.uri} has been revoked`);
  return undefined;
}

function onlyUri(certificate: x509.X509Certificate): Result<string, PkiError> {
  let names: readonly x509.GeneralName[];
  try {
    // Two such extensions are malformed (RFC 5280 §4.2), and each reader might believe a different one.
    const extensions = certificate.getExtensions(x509.SubjectAlternativeNameExtension);
    if (extensions.length > 1) return err(new PkiError('pki/many-uris', 'the certificate has two lists of names'));
    names = extensions[0]?.names.items ?? [];
  } catch (cause) {
    return err(new PkiError('pki/unreadable', 'the certificate’s names cannot be read', { cause }));
  }
  const [only, ...rest] = names.filter((name) => name.type === 'url');
  if (only === undefined)
    return err(new PkiError('pki/no-uri', `the certificate of ${certificate.subject} has no URI`));
  if (rest.length > 0)
    return err(
      new PkiError('pki/many-uris', `the certificate of ${certificate.subject} has ${String(rest.length + 1)} URIs`),
    );
  return ok(only.value);
}

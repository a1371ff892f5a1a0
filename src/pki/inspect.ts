// What a certificate says, for people: facts only, no judgement about trust.

import { createHash } from 'node:crypto';
import type { UnixMs } from '../base/index.js';
import { unixMs } from '../base/index.js';
import { authorityConsortium } from './authority.js';
import { PkiError } from './errors.js';
import type { Identity } from './identity.js';
import { parseIdentityUri } from './identity.js';
import { canonicalSerial, keyKind, parseCertificate, x509 } from './x509.js';

export interface CertificateFacts {
  readonly subject: string;
  readonly issuer: string;
  readonly serial: string;
  /** SHA-256 of the DER bytes, lower-case hexadecimal. */
  readonly fingerprint: string;
  readonly notBefore: UnixMs;
  readonly notAfter: UnixMs;
  /** `URI:spiffe://…`, `DNS:…`, `IP:…` in the order of the certificate. */
  readonly names: readonly string[];
  readonly authority: boolean;
  readonly consortium: string | undefined;
  /** The member it stands for, when its names spell exactly one. */
  readonly identity: Identity | undefined;
  readonly usages: readonly ('client' | 'server' | 'other')[];
  readonly algorithm: string;
}

const PREFIX: Readonly<Record<string, string>> = { url: 'URI', dns: 'DNS', ip: 'IP', email: 'email' };

/** Throws pki/unreadable, also for parts that only look like a certificate's: they are parsed when they are asked for. */
export function inspectCertificate(pem: string | Uint8Array): CertificateFacts {
  const certificate = parseCertificate(pem);
  try {
    return factsOf(certificate);
  } catch (cause) {
    throw new PkiError('pki/unreadable', 'a part of the certificate cannot be read', { cause });
  }
}

function factsOf(certificate: x509.X509Certificate): CertificateFacts {
  const items = certificate.getExtension(x509.SubjectAlternativeNameExtension)?.names.items ?? [];
  const uris = items.filter((name) => name.type === 'url').map((name) => name.value);
  const [uri] = uris;
  const consortium = authorityConsortium(certificate) ?? /^spiffe:\/\/([^/]+)\//.exec(uri ?? '')?.[1];
  const identity =
    uri === undefined || uris.length > 1 || consortium === undefined ? undefined : parseIdentityUri(uri, consortium);
  const usages = certificate.getExtension(x509.ExtendedKeyUsageExtension)?.usages ?? [];
  return {
    subject: certificate.subject,
    issuer: certificate.issuer,
    serial: canonicalSerial(certificate.serialNumber),
    fingerprint: createHash('sha256').update(new Uint8Array(certificate.rawData)).digest('hex'),
    notBefore: unixMs(certificate.notBefore.getTime()),
    notAfter: unixMs(certificate.notAfter.getTime()),
    names: items.map((name) => `${PREFIX[name.type] ?? name.type}:${name.value}`),
    authority: certificate.getExtension(x509.BasicConstraintsExtension)?.ca === true,
    consortium,
    identity: identity?.ok === true ? identity.value : undefined,
    usages: usages.map((usage) => usageName(String(usage))),
    algorithm: keyKind(certificate.publicKey),
  };
}

function usageName(usage: string): 'client' | 'server' | 'other' {
  if (usage === '1.3.6.1.5.5.7.3.2') return 'client';
  return usage === '1.3.6.1.5.5.7.3.1' ? 'server' : 'other';
}

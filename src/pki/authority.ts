// The consortium's certificate authority: one self-signed P-256 certificate that may sign members' certificates and nothing below them.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Rng, UnixMs } from '../base/index.js';
import { hex } from '../base/index.js';
import { PkiError } from './errors.js';
import { requireName } from './identity.js';
import type { KeyPair } from './x509.js';
import {
  canonicalSerial,
  generateKeys,
  importPrivateKey,
  parseCertificate,
  privateKeyPem,
  SIGNING_ALGORITHM,
  x509,
} from './x509.js';

export interface AuthorityFiles {
  readonly certificatePem: string;
  /** Secret: whoever holds it can open connections as any member (and still sign no protocol message). */
  readonly privateKeyPem: string;
}

/** An authority that is ready to sign. */
export interface Authority {
  readonly consortium: string;
  readonly certificate: x509.X509Certificate;
  readonly signingKey: KeyPair['privateKey'];
}

/** Certificates begin this much in the past, for machines whose clock is behind. */
export const BACKDATE_MS = 10 * 60_000;

export interface CreateAuthorityOptions {
  readonly consortium: string;
  readonly lifetimeMs: number;
  readonly now: UnixMs;
  readonly rng: Rng;
}

export async function createAuthority(options: CreateAuthorityOptions): Promise<AuthorityFiles> {
  requireName('consortium', options.consortium);
  requireLifetime(options.lifetimeMs);
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: freshSerial(options.rng),
    name: subject(`${options.consortium} authority`, options.consortium),
    notBefore: new Date(options.now - BACKDATE_MS),
    notAfter: new Date(options.now + options.lifetimeMs),
    keys,
    signingAlgorithm: SIGNING_ALGORITHM,
    extensions: [
      // Path length 0: what it signs can never be an authority.
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
      // The trust domain by itself names no member, so this certificate can be nobody's identity.
      new x509.SubjectAlternativeNameExtension([{ type: 'url', value: `spiffe://${options.consortium}` }]),
    ],
  });
  return { certificatePem: certificate.toString('pem'), privateKeyPem: await privateKeyPem(keys.privateKey) };
}

/** Reads an authority back, and checks that key and certificate belong together. */
export async function openAuthority(files: AuthorityFiles): Promise<Authority> {
  const certificate = parseCertificate(files.certificatePem);
  const consortium = authorityConsortium(certificate);
  if (consortium === undefined)
    throw new PkiError(
      'pki/not-an-authority',
      `the certificate of ${certificate.subject} is not a consortium's authority`,
    );
  const signingKey = await importPrivateKey(files.privateKeyPem);
  const own = new X509Certificate(files.certificatePem);
  if (!own.checkPrivateKey(createPrivateKey(files.privateKeyPem)))
    throw new PkiError(
      'pki/key-mismatch',
      `the authority's key does not belong to the certificate ${certificate.serialNumber}`,
    );
  return { consortium, certificate, signingKey };
}

/** The consortium whose authority this is, or undefined for any other certificate. */
export function authorityConsortium(certificate: x509.X509Certificate): string | undefined {
  if (certificate.getExtension(x509.BasicConstraintsExtension)?.ca !== true) return undefined;
  const names = certificate.getExtension(x509.SubjectAlternativeNameExtension)?.names.items ?? [];
  const [only, ...rest] = names.filter((name) => name.type === 'url');
  if (only === undefined || rest.length > 0) return undefined;
  return /^spiffe:\/\/([^/]+)$/.exec(only.value)?.[1];
}

/** 128 random bits, as hexadecimal (RFC 5280 §4.1.2.2 allows up to 20 octets). */
export function freshSerial(rng: Rng): string {
  return canonicalSerial(hex(rng.bytes(16)));
}

/** Names for people; identity is in the URI alone. */
export function subject(commonName: string, consortium: string): x509.Name {
  // Both are checked labels (and a space), so nothing needs escaping. RFC 5280 bounds a common name to 64 characters.
  return new x509.Name([{ O: [consortium] }, { CN: [commonName.slice(0, 64)] }]);
}

export function requireLifetime(lifetimeMs: number): void {
  if (!Number.isSafeInteger(lifetimeMs) || lifetimeMs <= 0)
    throw new PkiError('pki/bad-lifetime', `a lifetime of ${String(lifetimeMs)} ms is not a positive whole number`);
}

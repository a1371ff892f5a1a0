// An authority and members made for one test file, and certificates that no honest authority would make.

import type { webcrypto } from 'node:crypto';
import { unixMs } from '../../../src/base/index.js';
import type { Authority, AuthorityFiles, IssueOptions, Role } from '../../../src/pki/index.js';
import { COORDINATOR, createAuthority, issueWithNewKey, openAuthority } from '../../../src/pki/index.js';
import { generateKeys, SIGNING_ALGORITHM, x509 } from '../../../src/pki/x509.js';
import { systemRng } from '../../../src/system/index.js';

export const DAY_MS = 86_400_000;
export const HOUR_MS = 3_600_000;
/** The real time, because TLS libraries look at their own clock. */
export const NOW = unixMs(Date.now());

export async function newAuthority(consortium = 'north'): Promise<{ files: AuthorityFiles; authority: Authority }> {
  const files = await createAuthority({ consortium, lifetimeMs: 30 * DAY_MS, now: NOW, rng: systemRng });
  return { files, authority: await openAuthority(files) };
}

export function optionsFor(role: Role, id: string, more: Partial<IssueOptions> = {}): IssueOptions {
  const identity = role === 'coordinator' ? COORDINATOR : { role, id };
  const hosts = role === 'coordinator' ? { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1', '::1'] } : {};
  return { identity, lifetimeMs: HOUR_MS, now: NOW, rng: systemRng, ...hosts, ...more };
}

export function derOf(pem: string): Uint8Array {
  return new Uint8Array(new x509.X509Certificate(pem).rawData);
}

export async function memberDer(
  authority: Authority,
  role: Role,
  id: string,
  more: Partial<IssueOptions> = {},
): Promise<Uint8Array> {
  return derOf((await issueWithNewKey(authority, optionsFor(role, id, more))).certificatePem);
}

export interface Crafted {
  readonly names?: x509.JsonGeneralNames;
  readonly ca?: boolean | undefined;
  readonly usages?: readonly string[];
}

/** A certificate with exactly these names and extensions, signed by the authority. */
export async function craft(authority: Authority, crafted: Crafted): Promise<Uint8Array> {
  const keys: webcrypto.CryptoKeyPair = await generateKeys();
  const extensions: x509.Extension[] = [];
  if (crafted.names !== undefined) extensions.push(new x509.SubjectAlternativeNameExtension(crafted.names));
  const ca = 'ca' in crafted ? crafted.ca : false;
  if (ca !== undefined) extensions.push(new x509.BasicConstraintsExtension(ca, undefined, true));
  const usages = crafted.usages ?? [x509.ExtendedKeyUsage.clientAuth];
  if (usages.length > 0) extensions.push(new x509.ExtendedKeyUsageExtension([...usages], true));
  const certificate = await x509.X509CertificateGenerator.create({
    subject: 'CN=crafted',
    issuer: authority.certificate.subjectName,
    notBefore: new Date(NOW - HOUR_MS),
    notAfter: new Date(NOW + HOUR_MS),
    publicKey: keys.publicKey,
    signingKey: authority.signingKey,
    signingAlgorithm: SIGNING_ALGORITHM,
    extensions,
  });
  return new Uint8Array(certificate.rawData);
}

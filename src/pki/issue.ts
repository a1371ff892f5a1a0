// Members' certificates. Short-lived, one identity each, and each good for one side of a connection: the coordinator serves, all others dial.

import { isIP } from 'node:net';
import type { Rng, UnixMs } from '../base/index.js';
import type { Authority } from './authority.js';
import { BACKDATE_MS, freshSerial, requireLifetime, subject } from './authority.js';
import { PkiError } from './errors.js';
import type { Identity } from './identity.js';
import { identityUri } from './identity.js';
import { generateKeys, privateKeyPem, SIGNING_ALGORITHM, x509 } from './x509.js';

export interface IssueOptions {
  readonly identity: Identity;
  readonly lifetimeMs: number;
  readonly now: UnixMs;
  readonly rng: Rng;
  /** Names under which plain TLS clients find the coordinator; refused for every other role. */
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
}

/** RFC 1123 host name: labels of letters, digits and inner hyphens. Wildcards are refused: there is one coordinator. */
const HOST = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

export function usageOf(identity: Identity): x509.ExtendedKeyUsage {
  return identity.role === 'coordinator' ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth;
}

/** Signs a certificate for a key that somebody else holds; see `checkRequest` for the proof that they do. */
export function issueForKey(authority: Authority, publicKey: x509.PublicKey, options: IssueOptions): Promise<string> {
  return sign(authority, publicKey, {
    ...options,
    commonName: options.identity.id,
    uri: identityUri(authority.consortium, options.identity),
    usage: usageOf(options.identity),
    hosts: hostNames(options),
  });
}

interface ToSign {
  readonly commonName: string;
  readonly uri: string;
  readonly usage: x509.ExtendedKeyUsage;
  readonly hosts: x509.JsonGeneralNames;
  readonly lifetimeMs: number;
  readonly now: UnixMs;
  readonly rng: Rng;
}

async function sign(authority: Authority, publicKey: x509.PublicKey, wanted: ToSign): Promise<string> {
  const { lifetimeMs, now, rng } = wanted;
  requireLifetime(lifetimeMs);
  const notAfter = new Date(now + lifetimeMs);
  if (notAfter > authority.certificate.notAfter)
    throw new PkiError(
      'pki/bad-lifetime',
      `a certificate until ${notAfter.toISOString()} would outlive its authority (${authority.certificate.notAfter.toISOString()})`,
      { remedy: 'Ask for a shorter lifetime, or start a new authority with veilsum-ca rollover.' },
    );
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: freshSerial(rng),
    subject: subject(wanted.commonName, authority.consortium),
    issuer: authority.certificate.subjectName,
    notBefore: new Date(now - BACKDATE_MS),
    notAfter,
    publicKey,
    signingKey: authority.signingKey,
    signingAlgorithm: SIGNING_ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([wanted.usage], true),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(authority.certificate.publicKey),
      new x509.SubjectAlternativeNameExtension([{ type: 'url', value: wanted.uri }, ...wanted.hosts]),
    ],
  });
  return certificate.toString('pem');
}

export interface ServiceOptions {
  /** DNS names and IP addresses under which members reach the authority's service. */
  readonly hosts: readonly string[];
  readonly lifetimeMs: number;
  readonly now: UnixMs;
  readonly rng: Rng;
}

/** The URI in the certificate of the authority's own service: no role of a member, so it passes for none. */
export function authorityServiceUri(consortium: string): string {
  return `spiffe://${consortium}/authority`;
}

/** A certificate with which the authority's service answers; made by the service itself, which holds the authority's key anyway. */
export async function issueForService(authority: Authority, options: ServiceOptions): Promise<Issued> {
  const keys = await generateKeys();
  const dnsNames = options.hosts.filter((host) => isIP(host) === 0);
  const ipAddresses = options.hosts.filter((host) => isIP(host) !== 0);
  const certificatePem = await sign(authority, await x509.PublicKey.create(keys.publicKey), {
    ...options,
    commonName: 'authority service',
    uri: authorityServiceUri(authority.consortium),
    usage: x509.ExtendedKeyUsage.serverAuth,
    hosts: hostItems(dnsNames, ipAddresses),
  });
  return { certificatePem, privateKeyPem: await privateKeyPem(keys.privateKey) };
}

export interface Issued {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** Makes a key and its certificate in one step, where authority and member are the same person (a demo, a test). */
export async function issueWithNewKey(authority: Authority, options: IssueOptions): Promise<Issued> {
  const keys = await generateKeys();
  const publicKey = await x509.PublicKey.create(keys.publicKey);
  return {
    certificatePem: await issueForKey(authority, publicKey, options),
    privateKeyPem: await privateKeyPem(keys.privateKey),
  };
}

function hostNames({ identity, dnsNames = [], ipAddresses = [] }: IssueOptions): x509.JsonGeneralNames {
  if (identity.role !== 'coordinator' && dnsNames.length + ipAddresses.length > 0)
    throw new PkiError(
      'pki/bad-host',
      `a ${identity.role} only dials out: DNS names and IP addresses are the coordinator's`,
    );
  if (identity.role === 'coordinator' && dnsNames.length + ipAddresses.length === 0)
    throw new PkiError('pki/bad-host', 'the coordinator needs a DNS name or an IP address, or clients refuse it', {
      remedy: 'Give the names under which silos reach it, with --dns and --ip.',
    });
  return hostItems(dnsNames, ipAddresses);
}

function hostItems(dnsNames: readonly string[], ipAddresses: readonly string[]): x509.JsonGeneralNames {
  for (const name of dnsNames)
    if (!HOST.test(name) || isIP(name) !== 0)
      throw new PkiError('pki/bad-host', `${JSON.stringify(name)} is not a lower-case DNS name`);
  for (const address of ipAddresses)
    if (isIP(address) === 0) throw new PkiError('pki/bad-host', `${JSON.stringify(address)} is not an IP address`);
  return [
    ...dnsNames.map((value) => ({ type: 'dns' as const, value })),
    ...ipAddresses.map((value) => ({ type: 'ip' as const, value })),
  ];
}

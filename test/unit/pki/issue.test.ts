import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { plusMs } from '../../../src/base/index.js';
import {
  authorityConsortium,
  checkRequest,
  createAuthority,
  createRequest,
  inspectCertificate,
  issueForKey,
  issueWithNewKey,
  openAuthority,
  PKI_ERRORS,
} from '../../../src/pki/index.js';
import { x509 } from '../../../src/pki/x509.js';
import { systemRng } from '../../../src/system/index.js';
import { DAY_MS, HOUR_MS, newAuthority, NOW, optionsFor } from './authority-fixture.js';

const { files, authority } = await newAuthority();
const issue = (...[role, id, more]: Parameters<typeof optionsFor>): ReturnType<typeof issueWithNewKey> =>
  issueWithNewKey(authority, optionsFor(role, id, more));

describe('the authority', () => {
  it('is a certificate that may sign members and nothing below them', () => {
    const facts = inspectCertificate(files.certificatePem);
    expect(facts).toMatchObject({ authority: true, consortium: 'north', identity: undefined });
    const constraints = authority.certificate.getExtension(x509.BasicConstraintsExtension);
    expect(constraints).toMatchObject({ ca: true, pathLength: 0, critical: true });
    const usage = authority.certificate.getExtension(x509.KeyUsagesExtension);
    expect(usage).toMatchObject({
      usages: x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
      critical: true,
    });
  });

  it('refuses a consortium name or a lifetime that makes no sense', async () => {
    const options = { consortium: 'north', lifetimeMs: DAY_MS, now: NOW, rng: systemRng };
    await expect(createAuthority({ ...options, consortium: 'North West' })).rejects.toMatchObject({
      code: 'pki/bad-name',
    });
    for (const lifetimeMs of [0, -1, 0.5, NaN, Infinity])
      await expect(createAuthority({ ...options, lifetimeMs })).rejects.toMatchObject({ code: 'pki/bad-lifetime' });
  });

  it('refuses a member’s certificate, another key, and rubbish, without quoting the key', async () => {
    const member = await issue('silo', 'alpha');
    await expect(openAuthority(member)).rejects.toMatchObject({ code: 'pki/not-an-authority' });
    const other = await newAuthority();
    await expect(openAuthority({ ...files, privateKeyPem: other.files.privateKeyPem })).rejects.toMatchObject({
      code: 'pki/key-mismatch',
    });
    const broken = files.privateKeyPem.slice(0, 100);
    const refusal: unknown = await openAuthority({ ...files, privateKeyPem: broken }).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'pki/unreadable' });
    expect(refusal).not.toHaveProperty('cause');
  });
});

describe('a member’s certificate', () => {
  it('has critical constraints, one usage, key identifiers, and is signed by the authority', async () => {
    const { certificatePem } = await issue('silo', 'alpha');
    const certificate = new x509.X509Certificate(certificatePem);
    expect(certificate.getExtension(x509.BasicConstraintsExtension)).toMatchObject({ ca: false, critical: true });
    expect(certificate.getExtension(x509.KeyUsagesExtension)).toMatchObject({
      usages: x509.KeyUsageFlags.digitalSignature,
      critical: true,
    });
    expect(certificate.getExtension(x509.ExtendedKeyUsageExtension)?.usages).toEqual(['1.3.6.1.5.5.7.3.2']);
    const authorityKeyId = authority.certificate.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId;
    expect(certificate.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId).toBe(authorityKeyId);
    expect(certificate.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId).not.toBe(authorityKeyId);
    expect(new X509Certificate(certificatePem).verify(new X509Certificate(files.certificatePem).publicKey)).toBe(true);
    expect(authorityConsortium(certificate)).toBeUndefined();
  });

  it('carries exactly one URI, and the coordinator’s carries its hosts beside it', async () => {
    const silo = inspectCertificate((await issue('silo', 'alpha')).certificatePem);
    expect(silo.names).toEqual(['URI:spiffe://north/silo/alpha']);
    const coordinator = inspectCertificate((await issue('coordinator', '')).certificatePem);
    expect(coordinator.names.slice(0, 3)).toEqual(['URI:spiffe://north/coordinator', 'DNS:localhost', 'IP:127.0.0.1']);
    expect(coordinator.names).toHaveLength(4);
    expect(coordinator.usages).toEqual(['server']);
  });

  it('has a serial of its own, and begins some minutes in the past', async () => {
    const facts = await Promise.all(
      Array.from({ length: 8 }, async () => inspectCertificate((await issue('silo', 'alpha')).certificatePem)),
    );
    expect(new Set(facts.map((fact) => fact.serial)).size).toBe(8);
    for (const fact of facts) {
      expect(fact.serial).toMatch(/^[0-9a-f]{24,32}$/);
      expect(fact.notBefore).toBeLessThan(NOW - 60_000);
      // Certificates count in whole seconds.
      expect(Math.abs(fact.notAfter - plusMs(NOW, HOUR_MS))).toBeLessThan(1000);
    }
  });

  it('may not outlive its authority', async () => {
    await expect(issue('silo', 'alpha', { lifetimeMs: 31 * DAY_MS })).rejects.toMatchObject({
      code: 'pki/bad-lifetime',
    });
  });

  it.each(['Alpha', '', 'a/b', '../x', 'a b', 'ä'])('refuses the member name %j', async (id) => {
    await expect(issue('silo', id)).rejects.toMatchObject({ code: 'pki/bad-name' });
  });

  it('refuses host names for a silo, a coordinator without any, and hosts that are none', async () => {
    const refused = { code: 'pki/bad-host' };
    await expect(issue('silo', 'alpha', { dnsNames: ['x.example'] })).rejects.toMatchObject(refused);
    await expect(issue('coordinator', '', { dnsNames: [], ipAddresses: [] })).rejects.toMatchObject(refused);
    for (const name of [
      '*.example',
      'UPPER.example',
      'a..b',
      '127.0.0.1',
      'a b',
      'x.example,URI:spiffe://north/silo/a',
    ])
      await expect(issue('coordinator', '', { dnsNames: [name] })).rejects.toMatchObject(refused);
    await expect(issue('coordinator', '', { ipAddresses: ['999.0.0.1'] })).rejects.toMatchObject(refused);
  });
});

describe('a certificate request', () => {
  it('is signed by the authority without the key leaving the member', async () => {
    const { requestPem, privateKeyPem } = await createRequest('north', { role: 'silo', id: 'alpha' });
    expect(requestPem).not.toContain('PRIVATE');
    const proven = await checkRequest(requestPem);
    expect(proven.requestedUri).toBe('spiffe://north/silo/alpha');
    const pem = await issueForKey(authority, proven.publicKey, optionsFor('silo', 'alpha'));
    const { createPrivateKey } = await import('node:crypto');
    expect(new X509Certificate(pem).checkPrivateKey(createPrivateKey(privateKeyPem))).toBe(true);
  });

  it('is refused when its signature is not by the key it asks for', async () => {
    const { requestPem } = await createRequest('north', { role: 'silo', id: 'alpha' });
    const other = await createRequest('north', { role: 'silo', id: 'alpha' });
    const [der, otherDer] = [requestPem, other.requestPem].map(
      (pem) => new Uint8Array(x509.PemConverter.decode(pem)[0]!),
    );
    const spki = (raw: Uint8Array): Uint8Array =>
      new Uint8Array(new x509.Pkcs10CertificateRequest(Uint8Array.from(raw)).publicKey.rawData);
    const at = Buffer.from(der!).indexOf(spki(der!));
    expect(at).toBeGreaterThan(0);
    const stolen = Uint8Array.from(der!);
    stolen.set(spki(otherDer!), at);
    await expect(checkRequest(x509.PemConverter.encode(stolen, 'CERTIFICATE REQUEST'))).rejects.toMatchObject({
      code: 'pki/request-unproven',
    });
  });

  it('is refused for a key of another kind', async () => {
    const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-384' }, true, ['sign', 'verify']);
    const request = await x509.Pkcs10CertificateRequestGenerator.create({
      name: 'CN=alpha',
      keys,
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-384' },
    });
    await expect(checkRequest(request.toString('pem'))).rejects.toMatchObject({ code: 'pki/request-unproven' });
  });

  it('is refused when it is something else', async () => {
    await expect(checkRequest(files.certificatePem)).rejects.toMatchObject({ code: 'pki/unreadable' });
    await expect(checkRequest('')).rejects.toMatchObject({ code: 'pki/unreadable' });
  });
});

it('every code says what it means and what to do', () => {
  for (const text of Object.values(PKI_ERRORS)) expect(text.length).toBeGreaterThan(40);
});

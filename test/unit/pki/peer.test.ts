import { describe, expect, it } from 'vitest';
import { plusMs, unixMs } from '../../../src/base/index.js';
import type { PkiErrorCode, Role } from '../../../src/pki/index.js';
import { checkPeerNow, identityFromCertificate, identityUri, parseIdentityUri } from '../../../src/pki/index.js';
import type { Crafted } from './authority-fixture.js';
import { craft, derOf, HOUR_MS, memberDer, newAuthority, NOW } from './authority-fixture.js';

const { files, authority } = await newAuthority();
const SERVER = '1.3.6.1.5.5.7.3.1';
const CLIENT = '1.3.6.1.5.5.7.3.2';
const silo = 'spiffe://north/silo/alpha';
const url = (value: string): { type: 'url'; value: string } => ({ type: 'url', value });

function codeOf(der: Uint8Array, now = NOW): PkiErrorCode | 'accepted' {
  const found = identityFromCertificate(der, 'north', now);
  return found.ok ? 'accepted' : found.error.code;
}

describe('the identity of a peer', () => {
  it.each<[Role, string, string]>([
    ['silo', 'alpha', 'spiffe://north/silo/alpha'],
    ['operator', 'ada', 'spiffe://north/operator/ada'],
    ['auditor', 'eve-2', 'spiffe://north/auditor/eve-2'],
    ['coordinator', 'coordinator', 'spiffe://north/coordinator'],
  ])('reads a %s', async (role, id, uri) => {
    const found = identityFromCertificate(await memberDer(authority, role, id), 'north', NOW);
    expect(found).toMatchObject({ ok: true, value: { role, id, uri } });
  });

  it('accepts a crafted certificate that has everything, so that the refusals below mean something', async () => {
    expect(codeOf(await craft(authority, { names: [url(silo)] }))).toBe('accepted');
    const coordinator = { names: [url('spiffe://north/coordinator'), { type: 'dns' as const, value: 'x.example' }] };
    expect(codeOf(await craft(authority, { ...coordinator, usages: [SERVER] }))).toBe('accepted');
  });

  it.each<[string, Crafted, PkiErrorCode]>([
    ['has no alternative names at all', {}, 'pki/no-uri'],
    ['has a DNS name only', { names: [{ type: 'dns', value: 'alpha.example' }] }, 'pki/no-uri'],
    ['has two URIs', { names: [url(silo), url('spiffe://north/silo/beta')] }, 'pki/many-uris'],
    ['has the same URI twice', { names: [url(silo), url(silo)] }, 'pki/many-uris'],
    ['has a URI of another scheme', { names: [url('https://north/silo/alpha')] }, 'pki/not-spiffe'],
    ['has a URI of another consortium', { names: [url('spiffe://south/silo/alpha')] }, 'pki/other-consortium'],
    ['has an authority’s flag', { names: [url(silo)], ca: true }, 'pki/is-authority'],
    ['says nothing about being an authority', { names: [url(silo)], ca: undefined }, 'pki/is-authority'],
    ['is a silo’s, made for a server', { names: [url(silo)], usages: [SERVER] }, 'pki/wrong-usage'],
    ['is a silo’s, made for both sides', { names: [url(silo)], usages: [CLIENT, SERVER] }, 'pki/wrong-usage'],
    ['states no usage', { names: [url(silo)], usages: [] }, 'pki/wrong-usage'],
    ['is the coordinator’s, made for a client', { names: [url('spiffe://north/coordinator')] }, 'pki/wrong-usage'],
  ])('refuses a certificate that %s', async (_what, crafted, code) => {
    expect(codeOf(await craft(authority, crafted))).toBe(code);
  });

  it('refuses the authority’s own certificate, and bytes that are no certificate', () => {
    expect(codeOf(derOf(files.certificatePem))).toBe('pki/not-spiffe');
    expect(codeOf(new Uint8Array([1, 2, 3]))).toBe('pki/unreadable');
    expect(codeOf(new Uint8Array(0))).toBe('pki/unreadable');
  });

  it('refuses a certificate with bytes cut off at any place', async () => {
    const der = await memberDer(authority, 'silo', 'alpha');
    for (let length = 0; length < der.length; length += 7)
      expect(codeOf(der.subarray(0, length))).toBe('pki/unreadable');
  });

  it('refuses an expired certificate and one that is not valid yet, and tolerates a clock some minutes behind', async () => {
    const der = await memberDer(authority, 'silo', 'alpha');
    expect(codeOf(der, plusMs(NOW, HOUR_MS + 1000))).toBe('pki/expired');
    expect(codeOf(der, unixMs(NOW - 24 * HOUR_MS))).toBe('pki/not-yet-valid');
    expect(codeOf(der, unixMs(NOW - 5 * 60_000))).toBe('accepted');
  });

  it('refuses on a later call what has expired or been revoked since the connection began', async () => {
    const found = identityFromCertificate(await memberDer(authority, 'silo', 'alpha'), 'north', NOW);
    if (!found.ok) throw found.error;
    const peer = found.value;
    const none = { isRevoked: () => false };
    expect(checkPeerNow(peer, NOW, none)).toBeUndefined();
    expect(checkPeerNow(peer, plusMs(NOW, 2 * HOUR_MS), none)?.code).toBe('pki/expired');
    expect(checkPeerNow(peer, NOW, { isRevoked: (serial) => serial === peer.serial })?.code).toBe('pki/revoked');
  });
});

describe('the spelling of an identity', () => {
  it.each([
    'spiffe://north/silo/Alpha',
    'spiffe://north/silo/al%70ha',
    'spiffe://north/silo/alpha/',
    'spiffe://north/silo//alpha',
    'spiffe://north/silo/alpha/beta',
    'spiffe://north/silo/alpha?x=1',
    'spiffe://north/silo/alpha#x',
    'spiffe://north/silo/alpha\n',
    'spiffe://north/silo/al\0pha',
    'spiffe://north/silo/älpha',
    'spiffe://north/silo/-alpha',
    'spiffe://north/silo/',
    'spiffe://north/silo',
    'spiffe://north/',
    'spiffe://north',
    'spiffe://north/coordinator/',
    'spiffe://north/coordinator/coordinator',
    'spiffe://north/admin/alpha',
    'SPIFFE://north/silo/alpha',
    ' spiffe://north/silo/alpha',
    `spiffe://north/silo/${'a'.repeat(64)}`,
  ])('refuses %j', (uri) => {
    const found = parseIdentityUri(uri, 'north');
    expect(found).toMatchObject({ ok: false, error: { code: 'pki/not-spiffe' } });
  });

  it.each([
    'spiffe://north:8080/silo/alpha',
    'spiffe://user@north/silo/alpha',
    'spiffe://NORTH/silo/alpha',
    'spiffe:///silo/alpha',
  ])('refuses the trust domain of %j', (uri) => {
    expect(parseIdentityUri(uri, 'north')).toMatchObject({ ok: false, error: { code: 'pki/other-consortium' } });
  });

  it('refuses to write names that it would refuse to read', () => {
    const refusal = expect.objectContaining({ code: 'pki/bad-name' }) as Error;
    expect(() => identityUri('north', { role: 'silo', id: 'a/b' })).toThrow(refusal);
    expect(() => identityUri('No', { role: 'silo', id: 'a' })).toThrow(refusal);
    expect(() => identityUri('north', { role: 'coordinator', id: 'second' })).toThrow(refusal);
  });
});

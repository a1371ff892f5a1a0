// Certificates that parse at first and turn out to be broken when a part of them is asked for. Found by the fuzzer (docs/fuzzing.md).

import { describe, expect, it } from 'vitest';
import {
  checkRequest,
  createRequest,
  identityFromCertificate,
  inspectCertificate,
  issueWithNewKey,
  parseBundle,
} from '../../../src/pki/index.js';
import { x509 } from '../../../src/pki/x509.js';
import { derOf, memberDer, newAuthority, NOW, optionsFor } from './authority-fixture.js';

const unreadable = expect.objectContaining({ code: 'pki/unreadable' }) as Error;

/** The bytes with each occurrence of `from` overwritten by `to`. */
function overwritten(bytes: Uint8Array, from: readonly number[], to: readonly number[]): Uint8Array {
  const out = bytes.slice();
  for (let at = 0; at + from.length <= out.length; at++)
    if (from.every((byte, k) => out[at + k] === byte)) out.set(to, at);
  if (out.every((byte, k) => byte === bytes[k])) throw new Error('nothing to overwrite');
  return out;
}

/** OID 1.2.840.10045.2.1, "a key on a curve", and another one that nobody knows. */
const CURVE_KEY = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const UNKNOWN_KEY = [0x2a, 0x86, 0x48, 0xcc, 0x3d, 0x02, 0x01];

const pem = (der: Uint8Array, label = 'CERTIFICATE'): string => x509.PemConverter.encode(der.slice().buffer, label);

describe('a certificate', () => {
  it('that begins before 1970 names nobody, and its reader does not throw', async () => {
    const { authority } = await newAuthority();
    const der = await memberDer(authority, 'silo', 'silo-a');
    const at = der.findIndex((byte, k) => byte === 0x17 && der[k + 1] === 0x0d);
    der.set(Buffer.from('500101'), at + 2);
    expect(identityFromCertificate(der, 'north', NOW)).toMatchObject({ ok: false, error: { code: 'pki/unreadable' } });
  });

  it('with a key that cannot be read is refused when it is shown', async () => {
    const { authority } = await newAuthority();
    const der = overwritten(await memberDer(authority, 'silo', 'silo-a'), CURVE_KEY, UNKNOWN_KEY);
    expect(() => inspectCertificate(der)).toThrow(unreadable);
  });
});

describe('a bundle', () => {
  it('whose authority has a key that cannot be read is refused by code', async () => {
    const { authority, files } = await newAuthority();
    const { certificatePem, privateKeyPem } = await issueWithNewKey(authority, optionsFor('silo', 'silo-a'));
    const broken = pem(overwritten(derOf(files.certificatePem), CURVE_KEY, UNKNOWN_KEY));
    expect(() => parseBundle(`${certificatePem}\n${broken}\n${privateKeyPem}\n`)).toThrow(unreadable);
  });
});

describe('a request', () => {
  it('with a key that cannot be read is refused by code', async () => {
    const { requestPem } = await createRequest('north', { role: 'silo', id: 'silo-a' });
    const der = new Uint8Array(new x509.Pkcs10CertificateRequest(requestPem).rawData);
    const broken = pem(overwritten(der, CURVE_KEY, UNKNOWN_KEY), 'CERTIFICATE REQUEST');
    await expect(checkRequest(broken)).rejects.toThrow(unreadable);
  });
});

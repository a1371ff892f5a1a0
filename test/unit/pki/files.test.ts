import { chmodSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  BundleFile,
  certificatesIn,
  createSigningKey,
  issueWithNewKey,
  parseBundle,
  parseRevocations,
  readBundle,
  readSigningKey,
  revoke,
  RevocationFile,
  writeBundle,
} from '../../../src/pki/index.js';
import { SigningKey, verifySignature } from '../../../src/crypto/index.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { newAuthority, optionsFor } from './authority-fixture.js';

const { files, authority } = await newAuthority();
const alpha = await issueWithNewKey(authority, optionsFor('silo', 'alpha'));
const beta = await issueWithNewKey(authority, optionsFor('silo', 'beta'));
const parts = { ...alpha, authorityPem: files.certificatePem };
const text = (...pems: string[]): string => pems.join('');

describe('a bundle file', () => {
  it('holds chain and key with mode 0600', async () => {
    const path = join(temporaryFolder(), 'alpha.pem');
    const written = await writeBundle(path, parts);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await readBundle(path)).toEqual(written);
    expect(written.authorityPem.trim()).toBe(files.certificatePem.trim());
    expect(certificatesIn(written.chainPem)).toHaveLength(2);
    expect(written.chainPem).not.toContain('PRIVATE');
  });

  it('is not overwritten unless asked, and not readable by others', async () => {
    const path = join(temporaryFolder(), 'alpha.pem');
    await writeBundle(path, parts);
    await expect(writeBundle(path, parts)).rejects.toMatchObject({ code: 'system/exists' });
    await writeBundle(path, parts, { replace: true });
    chmodSync(path, 0o644);
    await expect(readBundle(path)).rejects.toMatchObject({ code: 'system/secret-exposed' });
  });

  it.each([
    [
      'the key of another certificate',
      text(alpha.certificatePem, files.certificatePem, beta.privateKeyPem),
      'pki/key-mismatch',
    ],
    ['no key', text(alpha.certificatePem, files.certificatePem), 'pki/unreadable'],
    [
      'two keys',
      text(alpha.certificatePem, files.certificatePem, alpha.privateKeyPem, beta.privateKeyPem),
      'pki/unreadable',
    ],
    ['no authority', text(alpha.certificatePem, alpha.privateKeyPem), 'pki/unreadable'],
    [
      'a member in the authority’s place',
      text(alpha.certificatePem, beta.certificatePem, alpha.privateKeyPem),
      'pki/not-an-authority',
    ],
    [
      'the chain upside down',
      text(files.certificatePem, alpha.certificatePem, alpha.privateKeyPem),
      'pki/not-an-authority',
    ],
    [
      'a torn key',
      text(alpha.certificatePem, files.certificatePem, alpha.privateKeyPem.slice(0, 80)),
      'pki/unreadable',
    ],
    ['nothing', '', 'pki/unreadable'],
    ['far too much', 'x'.repeat(70_000), 'pki/unreadable'],
  ])('is refused with %s', (_what, content, code) => {
    expect(() => parseBundle(content)).toThrow(expect.objectContaining({ code }));
  });

  it('is refused with another consortium’s authority', async () => {
    const other = await newAuthority();
    expect(() => parseBundle(text(alpha.certificatePem, other.files.certificatePem, alpha.privateKeyPem))).toThrow(
      expect.objectContaining({ code: 'pki/not-an-authority' }),
    );
  });

  it('is taken anew when it changes, and the last good one is kept when it cannot be used', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'silo.pem');
    await writeBundle(path, parts);
    const watched = await BundleFile.open(path);
    const before = watched.current;
    expect(await watched.refresh()).toBe(false);

    writeFileSync(`${path}.new`, text(beta.certificatePem, files.certificatePem, alpha.privateKeyPem), { mode: 0o600 });
    renameSync(`${path}.new`, path);
    await expect(watched.refresh()).rejects.toMatchObject({ code: 'pki/key-mismatch' });
    expect(watched.current).toBe(before);
    rmSync(path);
    await expect(watched.refresh()).rejects.toMatchObject({ code: 'system/not-found' });
    expect(watched.current).toBe(before);

    await writeBundle(path, { ...beta, authorityPem: files.certificatePem }, { replace: true });
    expect(await watched.refresh()).toBe(true);
    expect(watched.current.leafPem.trim()).toBe(beta.certificatePem.trim());
  });
});

describe('a signing key file', () => {
  it('is created with mode 0600 and signs for the public key it names', async () => {
    const path = join(temporaryFolder(), 'signing.pem');
    const created = await createSigningKey(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const read = await readSigningKey(path);
    expect(read.publicKey).toEqual(created.publicKey);
    expect(read.seed).toHaveLength(32);
    const key = SigningKey.from(read.seed);
    expect(key.publicKey).toEqual(read.publicKey);
    const payload = new Uint8Array([1, 2, 3]);
    expect(verifySignature(read.publicKey, 'advertise', payload, key.sign('advertise', payload))).toBe(true);
    expect(JSON.stringify([...read.publicKey])).not.toBe(JSON.stringify([...read.seed.reveal()]));
  });

  it('never replaces a key unless asked', async () => {
    const path = join(temporaryFolder(), 'signing.pem');
    const first = await createSigningKey(path);
    await expect(createSigningKey(path)).rejects.toMatchObject({ code: 'system/exists' });
    expect((await readSigningKey(path)).publicKey).toEqual(first.publicKey);
    expect((await createSigningKey(path, { replace: true })).publicKey).not.toEqual(first.publicKey);
  });

  it('is refused when others can read it', async () => {
    const path = join(temporaryFolder(), 'signing.pem');
    await createSigningKey(path);
    chmodSync(path, 0o640);
    await expect(readSigningKey(path)).rejects.toMatchObject({ code: 'system/secret-exposed' });
  });

  it('is refused when it holds another kind of key or rubbish, without quoting it', async () => {
    const path = join(temporaryFolder(), 'signing.pem');
    for (const content of [alpha.privateKeyPem, files.certificatePem, 'hunter2', '\u00ff']) {
      writeFileSync(path, content, { mode: 0o600 });
      const refusal: unknown = await readSigningKey(path).catch((error: unknown) => error);
      expect(refusal).toMatchObject({ code: 'pki/unreadable' });
      expect(refusal).not.toHaveProperty('cause');
      expect(String(refusal)).not.toContain('hunter2');
    }
  });
});

describe('a revocation file', () => {
  it('accepts both spellings of a serial, comments and empty lines', () => {
    const parsed = parseRevocations('# lost laptop\n00AB:CD\n\n  12ef # stolen\n');
    expect([...parsed]).toEqual(['abcd', '12ef']);
  });

  it.each(['xyz', 'ab cd', 'a'.repeat(41), '-1'])('refuses the line %j and names it by number', (line) => {
    expect(() => parseRevocations(`ab\n${line}\n`)).toThrow(/line 2/);
  });

  it('is read again when it changes, and keeps the last good list when it cannot be read', async () => {
    const path = join(temporaryFolder(), 'revoked.txt');
    await revoke(path, '00AA', 'first\nnote');
    const list = await RevocationFile.open(path);
    expect([list.isRevoked('aa'), list.isRevoked('bb')]).toEqual([true, false]);
    await revoke(path, 'bb', 'second');
    await revoke(path, 'BB', 'again');
    expect(await list.refresh()).toBe(true);
    expect(await list.refresh()).toBe(false);
    expect(list.isRevoked('bb')).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe('aa  # first note\nbb  # second\n');
    writeFileSync(path, 'not a serial');
    await expect(list.refresh()).rejects.toMatchObject({ code: 'pki/bad-revocation-list' });
    rmSync(path);
    await expect(list.refresh()).rejects.toMatchObject({ code: 'system/not-found' });
    expect([list.isRevoked('aa'), list.size]).toEqual([true, 2]);
  });

  it('stops a program from starting when it is missing', async () => {
    await expect(RevocationFile.open(join(temporaryFolder(), 'none'))).rejects.toMatchObject({
      code: 'system/not-found',
    });
  });
});

import { chmodSync, readFileSync, renameSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../src/base/index.js';
import { SecretBytes } from '../../../src/crypto/index.js';
import { checkSealed, openStorageKey, SealedStore, Sealer, STORAGE_ERRORS } from '../../../src/storage/index.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const root = (byte: number): SecretBytes<'storage-root'> => SecretBytes.of(new Uint8Array(32).fill(byte));
const sealer = Sealer.derive(root(1), 'test');
const place = utf8('place');
const refused = expect.objectContaining({ code: 'storage/damaged' }) as Error;
const BLOCK = 1024 * 1024;

describe('a sealer', () => {
  it('opens what it sealed, in its place only', () => {
    const sealed = sealer.seal(place, utf8('secret'));
    expect(sealer.open(place, sealed)).toEqual(utf8('secret'));
    expect(() => sealer.open(utf8('elsewhere'), sealed)).toThrow(refused);
    expect(sealer.open(place, sealer.seal(place, new Uint8Array(0)))).toHaveLength(0);
  });

  it('never seals the same way twice', () => {
    expect(sealer.seal(place, utf8('secret'))).not.toEqual(sealer.seal(place, utf8('secret')));
  });

  it('refuses every changed byte, every cut, another key and another store', () => {
    const sealed = sealer.seal(place, utf8('secret'));
    for (let at = 1; at < sealed.length; at++) {
      const changed = Uint8Array.from(sealed);
      changed[at]! ^= 0x80;
      expect(() => sealer.open(place, changed)).toThrow(refused);
      expect(() => sealer.open(place, sealed.subarray(0, at))).toThrow(refused);
    }
    expect(() => Sealer.derive(root(2), 'test').open(place, sealed)).toThrow(refused);
    expect(() => Sealer.derive(root(1), 'other').open(place, sealed)).toThrow(refused);
  });

  it('refuses a format that it does not know', () => {
    const sealed = sealer.seal(place, utf8('secret'));
    sealed[0] = 2;
    expect(() => sealer.open(place, sealed)).toThrow(expect.objectContaining({ code: 'storage/unknown-format' }));
  });

  it('refuses to become JSON', () => {
    expect(() => JSON.stringify({ sealer })).toThrow();
  });
});

describe('a storage key file', () => {
  it('is created once, with mode 0600, and read back the same', async () => {
    const path = join(temporaryFolder(), 'storage.key');
    const first = await openStorageKey(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect((await openStorageKey(path)).reveal()).toEqual(first.reveal());
    expect(first.reveal()).not.toEqual((await openStorageKey(join(temporaryFolder(), 'k'))).reveal());
  });

  it.each([0o640, 0o604, 0o660])('is refused with mode %o, and not replaced', async (mode) => {
    const path = join(temporaryFolder(), 'storage.key');
    await openStorageKey(path);
    const before = readFileSync(path);
    chmodSync(path, mode);
    await expect(openStorageKey(path)).rejects.toMatchObject({ code: 'system/secret-exposed' });
    expect(readFileSync(path)).toEqual(before);
  });

  it.each([0, 31, 33])('is refused with %i bytes, and not replaced', async (length) => {
    const path = join(temporaryFolder(), 'storage.key');
    writeFileSync(path, new Uint8Array(length), { mode: 0o600 });
    await expect(openStorageKey(path)).rejects.toMatchObject({ code: 'storage/bad-key-file' });
    expect(statSync(path).size).toBe(length);
  });
});

describe('a sealed store', () => {
  async function withFile(length: number): Promise<{ directory: string; store: SealedStore; content: Buffer }> {
    const directory = join(temporaryFolder(), 'sealed');
    const store = await SealedStore.open(directory, sealer);
    const content = Buffer.alloc(length, 'patient zero ');
    await store.put('job.1', content);
    return { directory, store, content };
  }
  async function read(store: SealedStore, name = 'job.1'): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    for await (const part of store.read(name)) parts.push(part);
    return Buffer.concat(parts);
  }

  it.each([0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 7])(
    'gives back %i bytes, and keeps none in clear',
    async (length) => {
      const { directory, store, content } = await withFile(length);
      expect((await read(store)).equals(content)).toBe(true);
      expect(readFileSync(join(directory, 'job.1.sealed')).includes('patient')).toBe(false);
      expect(statSync(join(directory, 'job.1.sealed')).mode & 0o777).toBe(0o600);
      expect(await checkSealed(store)).toEqual({ whole: 1, problems: [] });
    },
  );

  it('takes a stream in pieces of any size', async () => {
    const { store, content } = await withFile(BLOCK + 500);
    async function* pieces(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < content.length; at += 300_001)
        yield await Promise.resolve(content.subarray(at, at + 300_001));
    }
    await store.put('job.2', pieces());
    expect((await read(store, 'job.2')).equals(content)).toBe(true);
    expect(await store.list()).toEqual(['job.1', 'job.2']);
  });

  it('writes once', async () => {
    const { store, content } = await withFile(10);
    await expect(store.put('job.1', utf8('other'))).rejects.toMatchObject({ code: 'system/exists' });
    expect((await read(store)).equals(content)).toBe(true);
    await store.delete('job.1');
    expect(await store.has('job.1')).toBe(false);
    await store.put('job.1', utf8('other'));
    expect((await read(store)).toString()).toBe('other');
  });

  it('refuses a file under another name', async () => {
    const { directory, store } = await withFile(10);
    renameSync(join(directory, 'job.1.sealed'), join(directory, 'job.2.sealed'));
    await expect(read(store, 'job.2')).rejects.toMatchObject({ code: 'storage/damaged' });
    expect((await checkSealed(store)).problems.map(({ where }) => where)).toEqual(['job.2']);
  });

  const SEALED = BLOCK + 29;
  it.each([
    ['at a block’s edge', SEALED],
    ['at the second edge', 2 * SEALED],
    ['within a block', SEALED + 100],
    ['to nothing', 0],
  ])('refuses a file cut %s', async (_what, length) => {
    const { directory, store } = await withFile(2 * BLOCK + 7);
    truncateSync(join(directory, 'job.1.sealed'), length);
    await expect(read(store)).rejects.toMatchObject({ code: 'storage/damaged' });
  });

  it('refuses blocks that were swapped', async () => {
    const { directory, store } = await withFile(2 * BLOCK + 7);
    const path = join(directory, 'job.1.sealed');
    const file = readFileSync(path);
    const swapped = [file.subarray(SEALED, 2 * SEALED), file.subarray(0, SEALED), file.subarray(2 * SEALED)];
    writeFileSync(path, Buffer.concat(swapped));
    await expect(read(store)).rejects.toMatchObject({ code: 'storage/damaged' });
  });

  it('refuses a name that leaves the folder, and a file that is not there', async () => {
    const { store } = await withFile(1);
    await expect(store.put('../x', utf8(''))).rejects.toMatchObject({ code: 'storage/bad-name' });
    await expect(read(store, 'none')).rejects.toMatchObject({ code: 'system/not-found' });
  });
});

it('every code says what it means and what to do', () => {
  for (const text of Object.values(STORAGE_ERRORS)) expect(text.length).toBeGreaterThan(40);
});

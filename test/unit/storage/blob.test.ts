import { createHash } from 'node:crypto';
import { readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hex, utf8 } from '../../../src/base/index.js';
import { hash, Hasher } from '../../../src/crypto/index.js';
import { BlobStore, checkBlobs } from '../../../src/storage/index.js';
import { builtUrl, startScript } from '../../support/built-program.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const bytes = utf8('the quick brown fox');
const name = sha(bytes);

async function* pieces(): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 5) yield await Promise.resolve(bytes.subarray(at, at + 5));
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<number[]> {
  const lengths: number[] = [];
  for await (const chunk of chunks) lengths.push(chunk.length);
  return lengths;
}

describe('a blob store', () => {
  it('takes bytes or a stream and gives back ranges', async () => {
    const store = await BlobStore.open(join(temporaryFolder(), 'blobs'));
    expect(await store.has(name)).toBe(false);
    await store.put(name, pieces());
    await store.put(name, bytes);
    expect(await store.has(name)).toBe(true);
    expect(await store.size(name)).toBe(bytes.length);
    expect(await store.read(name, 4, 5)).toEqual(utf8('quick'));
    expect(await store.read(name, 16, 100)).toEqual(utf8('fox'));
    expect(await store.read(name, bytes.length, 1)).toHaveLength(0);
    expect(await collect(store.readChunks(name, 8))).toEqual([8, 8, 3]);
    expect(await collect(store.readChunks(name, 8, 10))).toEqual([8, 1]);
    expect(await store.list()).toEqual([name]);
    await store.delete(name);
    await store.delete(name);
    expect(await store.list()).toEqual([]);
  });

  it('names blobs by a labelled hash when it is given one', async () => {
    const store = await BlobStore.open(join(temporaryFolder(), 'blobs'), () => new Hasher('veilsum/v1/model'));
    const labelled = hex(hash('veilsum/v1/model', bytes));
    await store.put(labelled, pieces());
    expect(await store.isWhole(labelled)).toBe(true);
    await expect(store.put(name, bytes)).rejects.toMatchObject({ code: 'storage/hash-mismatch' });
  });

  it.each([
    ['bytes', () => bytes],
    ['a stream', () => pieces()],
  ])('refuses %s of another hash and keeps nothing', async (_what, content) => {
    const directory = join(temporaryFolder(), 'blobs');
    const store = await BlobStore.open(directory);
    await expect(store.put(sha(utf8('other')), content())).rejects.toMatchObject({ code: 'storage/hash-mismatch' });
    expect(readdirSync(directory)).toEqual([]);
  });

  it.each(['', 'abc', '../../etc/passwd', name.toUpperCase(), `${name}0`, `${name.slice(0, 63)}/`])(
    'refuses the name %j',
    async (bad) => {
      const store = await BlobStore.open(join(temporaryFolder(), 'blobs'));
      await expect(store.put(bad, bytes)).rejects.toMatchObject({ code: 'storage/bad-name' });
      await expect(store.read(bad, 0, 1)).rejects.toMatchObject({ code: 'storage/bad-name' });
      await expect(store.delete(bad)).rejects.toMatchObject({ code: 'storage/bad-name' });
    },
  );

  it('refuses to read what is not there or lies outside', async () => {
    const store = await BlobStore.open(join(temporaryFolder(), 'blobs'));
    await expect(store.size(name)).rejects.toMatchObject({ code: 'storage/no-such-blob' });
    await expect(store.read(name, 0, 1)).rejects.toMatchObject({ code: 'storage/no-such-blob' });
    await store.put(name, bytes);
    for (const [offset, length] of [
      [bytes.length + 1, 1],
      [-1, 1],
      [0, -1],
      [0.5, 1],
    ] as const)
      await expect(store.read(name, offset, length)).rejects.toMatchObject({ code: 'storage/bad-range' });
    await expect(collect(store.readChunks(name, 8, bytes.length + 1))).rejects.toMatchObject({
      code: 'storage/bad-range',
    });
  });

  it('has no half blob after kill -9, and clears away what was left', async () => {
    const directory = join(temporaryFolder(), 'blobs');
    const script = `import { BlobStore } from ${JSON.stringify(builtUrl('src/storage/index.ts'))};
      const store = await BlobStore.open(${JSON.stringify(directory)});
      await store.put(${JSON.stringify(name)}, new TextEncoder().encode('the quick brown fox'));`;
    expect((await startScript(script, { VEILSUM_FAILPOINT: 'system.before-rename' }).ended).signal).toBe('SIGKILL');
    expect(readdirSync(directory)).toHaveLength(1);
    const store = await BlobStore.open(directory);
    expect(readdirSync(directory)).toEqual([]);
    expect(await store.has(name)).toBe(false);
  });
});

describe('the check of blobs', () => {
  it('counts the whole ones and names the others', async () => {
    const directory = join(temporaryFolder(), 'blobs');
    const store = await BlobStore.open(directory);
    const [short, changed] = [utf8('short'), utf8('changed')];
    for (const content of [bytes, short, changed]) await store.put(sha(content), content);
    expect(await checkBlobs(store)).toEqual({ whole: 3, problems: [] });
    truncateSync(join(directory, sha(short)), 2);
    writeFileSync(join(directory, sha(changed)), 'Changed');
    writeFileSync(join(directory, 'notes.txt'), '');
    writeFileSync(join(directory, '.x.0123456789ab.tmp'), '');
    const report = await checkBlobs(store);
    expect(report.whole).toBe(1);
    expect(new Set(report.problems.map(({ where }) => where))).toEqual(
      new Set([sha(short), sha(changed), 'notes.txt', '.x.0123456789ab.tmp']),
    );
  });
});

import { appendFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { utf8 } from '../../../src/base/index.js';
import type { SpoolLimits, Upload } from '../../../src/storage/index.js';
import { Spool } from '../../../src/storage/index.js';
import { builtUrl, startScript } from '../../support/built-program.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const LIMITS = { totalBytes: 1000 };
const NAME = 'job-1.3.0.alpha';

async function openSpool(directory: string, limits: SpoolLimits): Promise<Spool> {
  const spool = await Spool.open(directory, limits);
  onTestFinished(() => spool.close());
  return spool;
}

async function contentOf(upload: Upload, chunkBytes = 4): Promise<string[]> {
  const found: string[] = [];
  for await (const chunk of upload.readChunks(chunkBytes)) found.push(Buffer.from(chunk).toString());
  return found;
}

async function fresh(limits = LIMITS): Promise<{ directory: string; spool: Spool; upload: Upload }> {
  const directory = join(temporaryFolder(), 'spool');
  const spool = await openSpool(directory, limits);
  return { directory, spool, upload: await spool.upload(NAME) };
}

describe('an upload', () => {
  it('acknowledges only what was synced, and reads only that', async () => {
    const { upload } = await fresh();
    await upload.append(0, utf8('abc'));
    expect([upload.length, upload.durableOffset]).toEqual([3, 0]);
    expect(await contentOf(upload)).toEqual([]);
    expect(await upload.sync()).toBe(3);
    await upload.append(3, utf8('defgh'));
    expect(await upload.sync()).toBe(8);
    expect(upload.durableOffset).toBe(8);
    expect(await contentOf(upload, 3)).toEqual(['abc', 'def', 'gh']);
  });

  it('refuses a gap', async () => {
    const { upload } = await fresh();
    await upload.append(0, utf8('abc'));
    for (const offset of [4, -1, 0.5, NaN])
      await expect(upload.append(offset, utf8('x'))).rejects.toMatchObject({ code: 'storage/upload-gap' });
    expect(upload.length).toBe(3);
  });

  it('accepts the same bytes again, also with new ones behind them', async () => {
    const { upload } = await fresh();
    await upload.append(0, utf8('abc'));
    await upload.sync();
    await upload.append(0, utf8('abc'));
    await upload.append(1, utf8('b'));
    await upload.append(1, utf8('bcde'));
    expect(await upload.sync()).toBe(5);
    expect(await contentOf(upload, 10)).toEqual(['abcde']);
  });

  it.each([
    [0, 'abX'],
    [1, 'Xcde'],
    [2, 'X'],
  ])('refuses other bytes at offset %i and keeps the first ones', async (offset, text) => {
    const { upload } = await fresh();
    await upload.append(0, utf8('abc'));
    await expect(upload.append(offset, utf8(text))).rejects.toMatchObject({ code: 'storage/upload-conflict' });
    await upload.append(3, utf8('d'));
    await upload.sync();
    expect(await contentOf(upload)).toEqual(['abcd']);
  });

  it('keeps the order of calls that nobody waited for', async () => {
    const { upload } = await fresh();
    await Promise.all([0, 1, 2, 3, 4].map((i) => upload.append(i * 2, utf8(`${i}${i}`))));
    expect(await upload.sync()).toBe(10);
    expect(await contentOf(upload, 10)).toEqual(['0011223344']);
  });

  it('continues after a restart where it was', async () => {
    const { directory, spool, upload } = await fresh();
    await upload.append(0, utf8('abc'));
    await upload.sync();
    await spool.close();
    const again = await openSpool(directory, LIMITS);
    expect(again.names()).toEqual([NAME]);
    const resumed = await again.upload(NAME);
    expect(resumed.durableOffset).toBe(3);
    await resumed.append(3, utf8('def'));
    await resumed.sync();
    expect(await contentOf(resumed, 10)).toEqual(['abcdef']);
    expect(readFileSync(join(directory, `${NAME}.part`), 'utf8')).toBe('abcdef');
    await again.close();
  });

  it('after a torn tail, offers the length of what is there', async () => {
    const { directory, spool, upload } = await fresh();
    await upload.append(0, utf8('abcdef'));
    await upload.sync();
    await spool.close();
    truncateSync(join(directory, `${NAME}.part`), 4);
    const resumed = await (await openSpool(directory, LIMITS)).upload(NAME);
    expect(resumed.durableOffset).toBe(4);
    await resumed.append(2, utf8('cdef'));
    expect(await resumed.sync()).toBe(6);
    expect(await contentOf(resumed, 10)).toEqual(['abcdef']);
  });

  it('says so when its file became shorter under it', async () => {
    const { directory, upload } = await fresh();
    await upload.append(0, utf8('abcdef'));
    await upload.sync();
    truncateSync(join(directory, `${NAME}.part`), 2);
    await expect(contentOf(upload, 10)).rejects.toMatchObject({ code: 'storage/damaged' });
  });

  it('after kill -9 before the sync, never offers more than its file holds', async () => {
    const directory = join(temporaryFolder(), 'spool');
    const script = `import { Spool } from ${JSON.stringify(builtUrl('src/storage/index.ts'))};
      const spool = await Spool.open(${JSON.stringify(directory)}, { totalBytes: 1e6 });
      const upload = await spool.upload(${JSON.stringify(NAME)});
      await upload.append(0, new Uint8Array(1000).fill(1));
      console.log(await upload.sync());
      await upload.append(1000, new Uint8Array(1000).fill(2));
      console.log(await upload.sync());`;
    const end = await startScript(script, { VEILSUM_FAILPOINT: 'storage.before-upload-sync@2' }).ended;
    expect(end).toMatchObject({ signal: 'SIGKILL', stdout: '1000\n' });
    const resumed = await (await openSpool(directory, { totalBytes: 1e6 })).upload(NAME);
    expect(resumed.durableOffset).toBe(statSync(join(directory, `${NAME}.part`)).size);
    expect(resumed.durableOffset).toBeGreaterThanOrEqual(1000);
    await resumed.append(0, new Uint8Array(1000).fill(1));
  });
});

describe('a spool', () => {
  it('bounds the bytes of all uploads together, counting those from before a restart', async () => {
    const { directory, spool, upload } = await fresh({ totalBytes: 10 });
    await upload.append(0, new Uint8Array(6));
    const second = await spool.upload('second');
    await expect(second.append(0, new Uint8Array(5))).rejects.toMatchObject({ code: 'storage/upload-full' });
    expect(second.length).toBe(0);
    await second.append(0, new Uint8Array(4));
    await upload.append(0, new Uint8Array(6));
    expect(spool.totalBytes).toBe(10);
    await spool.close();
    const again = await openSpool(directory, { totalBytes: 10 });
    await expect((await again.upload('third')).append(0, utf8('x'))).rejects.toMatchObject({
      code: 'storage/upload-full',
    });
    await again.delete(NAME);
    expect(again.totalBytes).toBe(4);
    await (await again.upload('third')).append(0, utf8('x'));
    expect(again.names()).toEqual(['second', 'third']);
    await again.close();
  });

  it('gives one object per name, and a new one after deletion', async () => {
    const { spool, upload } = await fresh();
    await upload.append(0, utf8('abc'));
    expect(await spool.upload(NAME)).toBe(upload);
    await spool.delete(NAME);
    const next = await spool.upload(NAME);
    expect(next).not.toBe(upload);
    expect(next.durableOffset).toBe(0);
    await next.append(0, utf8('xyz'));
  });

  it.each(['', '..', '../x', 'a/b', 'A', 'a..b', 'a.', 'ä', 'a'.repeat(201)])('refuses the name %j', async (name) => {
    const { spool } = await fresh();
    await expect(spool.upload(name)).rejects.toMatchObject({ code: 'storage/bad-name' });
    await expect(spool.delete(name)).rejects.toMatchObject({ code: 'storage/bad-name' });
  });

  it('leaves files alone that are no uploads', async () => {
    const { directory, spool } = await fresh();
    await spool.close();
    writeFileSync(join(directory, 'notes'), 'x');
    appendFileSync(join(directory, 'other.part'), 'yy');
    const again = await openSpool(directory, LIMITS);
    expect(again.names()).toEqual([NAME, 'other']);
    expect(again.totalBytes).toBe(2);
  });
});

// One suite for every back end of the coordinator's store: files under one process, and PostgreSQL with its bytes in the database, in a
// shared folder or in an object store. What a program may rely on is here; what is particular to one is beside it.

import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { fromUtf8, utf8 } from '../../../src/base/index.js';
import { SecretBytes } from '../../../src/crypto/index.js';
import {
  BlobStore,
  Journal,
  openShared,
  RECORD_BYTES_MAX,
  Sealer,
  Spool,
  type ObjectStore,
  type PiecesSettings,
  type RecordStore,
  type SharedOptions,
  type StoredUpload,
  type UploadStore,
} from '../../../src/storage/index.js';
import { builtUrl, startScript } from '../../support/built-program.js';
import { ACCESS_KEY, ObjectStoreServer } from '../../support/object-store.js';
import { hasPostgres, PostgresServer } from '../../support/postgres.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

interface Opened {
  readonly journal: RecordStore;
  readonly objects: ObjectStore;
  readonly uploads: UploadStore;
  readonly close: () => Promise<void>;
}

/** A place where a store can be: opened, closed, and opened again. */
interface Site {
  readonly open: () => Promise<Opened>;
  /** A program that opens it as `journal`, `objects` and `uploads`. */
  readonly script: string;
}

interface BackEnd {
  readonly name: string;
  readonly site: (uploadBytes: number) => Promise<Site>;
}

const ROOT = 7;
const root = () => SecretBytes.of<'storage-root'>(new Uint8Array(32).fill(ROOT));
const rooms = (): string => `
  import { BlobStore, Journal, openShared, Sealer, Spool } from ${JSON.stringify(builtUrl('src/storage/index.ts'))};
  import { SecretBytes } from ${JSON.stringify(builtUrl('src/crypto/index.ts'))};
  import { writeSync } from 'node:fs';
  const root = SecretBytes.of(new Uint8Array(32).fill(${ROOT}));
  const utf8 = (text) => new TextEncoder().encode(text);`;

const files: BackEnd = {
  name: 'files',
  site: (uploadBytes) => {
    const folder = temporaryFolder();
    const open = async (): Promise<Opened> => {
      const journal = await Journal.open({
        path: join(folder, 'journal'),
        sealer: Sealer.derive(root(), 'coordinator-journal'),
      });
      const uploads = await Spool.open(join(folder, 'uploads'), { totalBytes: uploadBytes });
      return {
        journal,
        objects: await BlobStore.open(join(folder, 'objects')),
        uploads,
        close: async () => {
          await uploads.close();
          await journal.close();
        },
      };
    };
    const at = (name: string): string => JSON.stringify(join(folder, name));
    const script = `${rooms()}
      const journal = await Journal.open({ path: ${at('journal')}, sealer: Sealer.derive(root, 'coordinator-journal') });
      const objects = await BlobStore.open(${at('objects')});
      const uploads = await Spool.open(${at('uploads')}, { totalBytes: ${uploadBytes} });`;
    return Promise.resolve({ open, script });
  },
};

const postgres = hasPostgres();
let server: PostgresServer;
let objectStore: ObjectStoreServer;

beforeAll(async () => {
  objectStore = await ObjectStoreServer.start();
  if (postgres) server = await PostgresServer.start();
});

afterAll(async () => {
  await objectStore.stop();
  if (postgres) await server.stop();
});

async function optionsOf(pieces: PiecesSettings, uploadBytes = 1e9): Promise<Omit<SharedOptions, 'root'>> {
  return {
    database: {
      url: server.url(await server.database()),
      password: server.passwordFile,
      schema: 'veilsum',
      retryMs: 5_000,
    },
    pieces,
    leaseMs: 100,
    uploads: { totalBytes: uploadBytes },
  };
}

function shared(name: string, pieces: () => PiecesSettings): BackEnd {
  return {
    name,
    site: async (uploadBytes) => {
      const options = await optionsOf(pieces(), uploadBytes);
      const open = async (): Promise<Opened> => {
        const store = await openShared({ ...options, root: root() });
        // Whoever was killed before held it for a moment more.
        while (!(await store.lease.take())) await new Promise((resolve) => setTimeout(resolve, 20));
        return {
          journal: store.journal,
          objects: store.objects('objects'),
          uploads: store.uploads,
          close: () => store.close(),
        };
      };
      const script = `${rooms()}
        const store = await openShared({ ...${JSON.stringify(options)}, root });
        while (!(await store.lease.take())) await new Promise((resolve) => setTimeout(resolve, 20));
        await store.journal.refresh();
        const { journal, uploads } = store;
        const objects = store.objects('objects');`;
      return { open, script };
    },
  };
}

function s3(): PiecesSettings {
  const credentials = join(temporaryFolder(), 'credentials');
  writeFileSync(credentials, `${ACCESS_KEY}\nsecret\n`, { mode: 0o600 });
  const { endpoint } = objectStore;
  return {
    kind: 's3',
    s3: { endpoint, region: 'eu-central-1', bucket: 'veilsum', prefix: 'north/', credentials, pathStyle: true },
  };
}

const BACK_ENDS: readonly BackEnd[] = [
  files,
  ...(postgres
    ? [
        shared('PostgreSQL', () => ({ kind: 'database' })),
        shared('PostgreSQL and a shared folder', () => ({ kind: 'folder', folder: join(temporaryFolder(), 'pieces') })),
        shared('PostgreSQL and an object store', s3),
      ]
    : []),
];

async function openAt(site: Site): Promise<Opened> {
  const opened = await site.open();
  onTestFinished(() => opened.close());
  return opened;
}

async function fresh(backEnd: BackEnd, uploadBytes = 1e9): Promise<Opened & { readonly site: Site }> {
  const site = await backEnd.site(uploadBytes);
  return { ...(await openAt(site)), site };
}

async function texts(journal: RecordStore, name: string, from = 1): Promise<string[]> {
  const found: string[] = [];
  for await (const { sequence, bytes } of journal.readFrom(name, from)) found.push(`${sequence}:${fromUtf8(bytes)}`);
  return found;
}

async function contentOf(upload: StoredUpload, chunkBytes = 4): Promise<string[]> {
  const found: string[] = [];
  for await (const chunk of upload.readChunks(chunkBytes)) found.push(Buffer.from(chunk).toString());
  return found;
}

const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const UPLOAD = 'job-1.3.0.alpha';

// Of a journal in PostgreSQL no byte lies in a piece.
const JOURNALS = BACK_ENDS.filter(({ name }) => name === 'files' || name === 'PostgreSQL');

describe.each(JOURNALS)('the journal of $name', (backEnd) => {
  it('returns records in order, numbered from 1, also after reopening', async () => {
    const { journal, site, close } = await fresh(backEnd);
    expect(await journal.append('round', [utf8('a'), utf8('')])).toEqual([1, 2]);
    expect(await journal.append('round', [utf8('c')])).toEqual([3]);
    expect(await journal.append('other', [utf8('x')])).toEqual([1]);
    await close();
    const again = await openAt(site);
    expect(await texts(again.journal, 'round')).toEqual(['1:a', '2:', '3:c']);
    expect(await texts(again.journal, 'round', 3)).toEqual(['3:c']);
    expect(await texts(again.journal, 'nothing')).toEqual([]);
    expect(again.journal.journals()).toEqual(['other', 'round']);
    expect(await again.journal.append('round', [utf8('d')])).toEqual([4]);
  });

  it('commits appends and pairs together', async () => {
    const { journal, site, close } = await fresh(backEnd);
    await journal.put('old', utf8('1'));
    const sequences = await journal.transaction([
      { kind: 'append', journal: 'a', record: utf8('first') },
      { kind: 'append', journal: 'b', record: utf8('masked') },
      { kind: 'append', journal: 'a', record: utf8('second') },
      { kind: 'put', key: 'new', value: utf8('1') },
      { kind: 'put', key: 'new', value: utf8('2') },
      { kind: 'put', key: 'empty', value: new Uint8Array(0) },
      { kind: 'delete', key: 'old' },
    ]);
    expect(sequences).toEqual([1, 1, 2]);
    await close();
    const { journal: again } = await openAt(site);
    expect(again.get('old')).toBeUndefined();
    expect(again.get('new')).toEqual(utf8('2'));
    expect(again.get('empty')).toEqual(new Uint8Array(0));
    expect(again.keys()).toEqual(['empty', 'new']);
    expect(again.keys('n')).toEqual(['new']);
    await again.delete('never there');
    expect(await again.transaction([])).toEqual([]);
  });

  it('numbers concurrent appends in the order of the calls', async () => {
    const { journal } = await fresh(backEnd);
    const appends = Array.from({ length: 50 }, (_, i) => journal.append('a', [utf8(`${i}`)]));
    expect(await texts(journal, 'a')).toHaveLength(50);
    expect((await Promise.all(appends)).flat()).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
    expect((await texts(journal, 'a'))[7]).toBe('8:7');
  });

  it('reads back more than fits in a page', async () => {
    const { journal } = await fresh(backEnd);
    await journal.append(
      'a',
      Array.from({ length: 300 }, (_, i) => utf8(`${i}`)),
    );
    const large = new Uint8Array(RECORD_BYTES_MAX - 1).fill(3);
    for (let i = 0; i < 3; i++) await journal.append('a', [large]);
    let count = 0;
    for await (const { bytes } of journal.readAll('a')) {
      count += 1;
      if (count > 300) expect(bytes.length).toBe(large.length);
    }
    expect(count).toBe(303);
  });

  it('refuses names and records that cannot be, and leaves nothing', async () => {
    const { journal } = await fresh(backEnd);
    const bad = { code: 'storage/bad-name' };
    for (const name of ['', 'A', 'a/b', 'a\0b', '.a', 'a'.repeat(64)])
      await expect(journal.append(name, [utf8('x')])).rejects.toMatchObject(bad);
    await expect(journal.put('', utf8('x'))).rejects.toMatchObject(bad);
    await expect(journal.put('k'.repeat(600), utf8('x'))).rejects.toMatchObject(bad);
    await expect(journal.append('a', [new Uint8Array(RECORD_BYTES_MAX + 1)])).rejects.toMatchObject({
      code: 'storage/record-too-large',
    });
    expect(journal.journals()).toEqual([]);
    expect(await journal.append('good', [utf8('y')])).toEqual([1]);
  });

  it('holds no more of a journal than it is told', async () => {
    const { journal } = await fresh(backEnd);
    const written = [1, 2, 3].map(() => journal.appendAtMost('evidence', utf8('x'), 2));
    expect(await Promise.all(written)).toEqual([true, true, false]);
  });
});

describe.each(BACK_ENDS)('the objects of $name', (backEnd) => {
  const large = new Uint8Array(9 * 1024 * 1024 + 5).map((_, i) => i % 251);
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < large.length; at += 700_001) yield await Promise.resolve(large.subarray(at, at + 700_001));
  }

  it('are taken as bytes or as a stream and given back in ranges', async () => {
    const { objects, site, close } = await fresh(backEnd);
    const name = sha(large);
    expect(await objects.has(name)).toBe(false);
    await Promise.all([objects.put(name, pieces()), objects.put(name, large)]);
    await close();
    const { objects: again } = await openAt(site);
    expect(await again.size(name)).toBe(large.length);
    expect(await again.read(name, 4 * 1024 * 1024 - 2, 5)).toEqual(large.slice(4 * 1024 * 1024 - 2).subarray(0, 5));
    expect(await again.read(name, large.length - 3, 100)).toEqual(large.slice(-3));
    expect(await again.read(name, large.length, 1)).toHaveLength(0);
    let length = 0;
    for await (const chunk of again.readChunks(name, 1_000_000, 7)) length += chunk.length;
    expect(length).toBe(large.length - 7);
    expect(await again.isWhole(name)).toBe(true);
    await again.put(sha(new Uint8Array(0)), new Uint8Array(0));
    expect(await again.list()).toEqual([name, sha(new Uint8Array(0))].sort());
    await again.delete(name);
    await again.delete(name);
    expect(await again.has(name)).toBe(false);
  });

  it('refuse bytes of another hash, and ranges and names that cannot be', async () => {
    const { objects } = await fresh(backEnd);
    const name = sha(utf8('one'));
    await expect(objects.put(name, utf8('other'))).rejects.toMatchObject({ code: 'storage/hash-mismatch' });
    expect(await objects.list()).toEqual([]);
    for (const bad of ['', 'abc', '../../etc/passwd', name.toUpperCase()])
      await expect(objects.read(bad, 0, 1)).rejects.toMatchObject({ code: 'storage/bad-name' });
    await expect(objects.size(name)).rejects.toMatchObject({ code: 'storage/no-such-blob' });
    await objects.put(name, utf8('one'));
    for (const [offset, length] of [
      [4, 1],
      [-1, 1],
      [0, -1],
      [0.5, 1],
    ] as const)
      await expect(objects.read(name, offset, length)).rejects.toMatchObject({ code: 'storage/bad-range' });
  });
});

describe.each(BACK_ENDS)('the uploads of $name', (backEnd) => {
  it('acknowledge only what was synced, read only that, and go on after a restart', async () => {
    const { uploads, site, close } = await fresh(backEnd);
    const upload = await uploads.upload(UPLOAD);
    await upload.append(0, utf8('abc'));
    expect([upload.length, upload.durableOffset]).toEqual([3, 0]);
    expect(await contentOf(upload)).toEqual([]);
    expect(await upload.sync()).toBe(3);
    await upload.append(3, utf8('defgh'));
    expect(await upload.sync()).toBe(8);
    expect(await contentOf(upload, 3)).toEqual(['abc', 'def', 'gh']);
    await close();
    const again = await openAt(site);
    expect(await again.uploads.names()).toEqual([UPLOAD]);
    const resumed = await again.uploads.upload(UPLOAD);
    expect(resumed.durableOffset).toBe(8);
    await resumed.append(8, utf8('i'));
    await resumed.sync();
    expect(await contentOf(resumed, 10)).toEqual(['abcdefghi']);
  });

  it('refuse a gap and other bytes, and take the same again', async () => {
    const { uploads } = await fresh(backEnd);
    const upload = await uploads.upload(UPLOAD);
    await upload.append(0, utf8('abc'));
    for (const offset of [4, -1, 0.5, NaN])
      await expect(upload.append(offset, utf8('x'))).rejects.toMatchObject({ code: 'storage/upload-gap' });
    await upload.append(1, utf8('bcd'));
    for (const [offset, text] of [
      [0, 'abX'],
      [1, 'Xcde'],
      [2, 'X'],
    ] as const)
      await expect(upload.append(offset, utf8(text))).rejects.toMatchObject({ code: 'storage/upload-conflict' });
    await Promise.all([0, 1, 2].map((i) => upload.append(4 + i, utf8(`${i}`))));
    expect(await upload.sync()).toBe(7);
    expect(await contentOf(upload, 10)).toEqual(['abcd012']);
  });

  it('cross the size of a piece', async () => {
    const { uploads } = await fresh(backEnd);
    const upload = await uploads.upload(UPLOAD);
    const bytes = new Uint8Array(5 * 1024 * 1024).map((_, i) => i % 249);
    for (let at = 0; at < bytes.length; at += 1_000_000) await upload.append(at, bytes.subarray(at, at + 1_000_000));
    expect(await upload.sync()).toBe(bytes.length);
    const hash = createHash('sha256');
    for await (const chunk of upload.readChunks(300_000)) hash.update(chunk);
    expect(hash.digest('hex')).toBe(sha(bytes));
  });

  it('are bounded together, have names, and begin anew with another generation when they were deleted', async () => {
    const { uploads } = await fresh(backEnd, 10);
    const upload = await uploads.upload(UPLOAD);
    await upload.append(0, new Uint8Array(6));
    await upload.sync();
    const second = await uploads.upload('second');
    const grown = second.append(0, new Uint8Array(5)).then(() => second.sync());
    await expect(grown).rejects.toMatchObject({ code: 'storage/upload-full' });
    expect(await uploads.generationOf('second')).toBe(second.generation);
    await uploads.delete('second');
    expect(await uploads.generationOf('second')).toBeUndefined();
    const anew = await uploads.upload('second');
    expect(anew.generation).not.toBe(second.generation);
    await anew.append(0, new Uint8Array(4));
    expect(await anew.sync()).toBe(4);
    await expect(uploads.upload('../x')).rejects.toMatchObject({ code: 'storage/bad-name' });
    expect(await uploads.names()).toEqual([UPLOAD, 'second']);
  });
});

describe.each(BACK_ENDS)('after kill -9 in $name', (backEnd) => {
  const work = `
    for (let i = journal.lastSequence('a') + 1; i <= 3; i++) {
      await journal.transaction([
        { kind: 'append', journal: 'a', record: utf8('record ' + i) },
        { kind: 'put', key: 'count', value: utf8(String(i)) },
      ]);
      writeSync(1, 'ack ' + i + '\\n');
      await objects.put(${JSON.stringify(sha(utf8('object')))}, utf8('object'));
      const upload = await uploads.upload(${JSON.stringify(UPLOAD)});
      await upload.append(upload.length, utf8(String(i)));
      writeSync(1, 'durable ' + (await upload.sync()) + '\\n');
    }
    process.exit(0);`;
  const written = ['storage.before-upload-sync@2', 'storage.after-upload-sync@2'];
  const kept = ['storage.before-object', 'storage.after-object'];
  const committed = ['storage.before-commit@2', 'storage.after-commit@2'];
  const opened = ['storage.before-upload-open@2', 'storage.after-upload-open'];
  const leased = ['storage.before-lease', 'storage.after-lease'];
  // The transactions of PostgreSQL are the same wherever the bytes lie, and those of files have tests of their own.
  const places =
    backEnd === files
      ? [...committed, ...written]
      : backEnd.name === 'PostgreSQL'
        ? [...leased, ...committed, ...opened, ...written, ...kept]
        : ['storage.after-upload-sync@2', 'storage.after-object'];

  it.each(places)('at %s everything acknowledged is there, all or nothing else, and work goes on', async (place) => {
    const site = await backEnd.site(1e9);
    const end = await startScript(site.script + work, { VEILSUM_FAILPOINT: place }).ended;
    expect(end.stderr).toBe('');
    expect(end.signal).toBe('SIGKILL');
    const said = (what: string): number =>
      Number(
        end.stdout
          .split('\n')
          .filter((line) => line.startsWith(what))
          .at(-1)
          ?.split(' ')[1] ?? 0,
      );
    const first = await site.open();
    const records = await texts(first.journal, 'a');
    expect(records.length).toBeGreaterThanOrEqual(said('ack'));
    expect(records.length).toBeLessThanOrEqual(said('ack') + 1);
    expect(records).toEqual(records.map((_, i) => `${i + 1}:record ${i + 1}`));
    const count = first.journal.get('count');
    expect(count === undefined ? 0 : Number(fromUtf8(count))).toBe(records.length);
    expect((await first.uploads.upload(UPLOAD)).durableOffset).toBeGreaterThanOrEqual(said('durable'));
    for (const hash of await first.objects.list()) expect(await first.objects.isWhole(hash)).toBe(true);
    await first.close();
    expect(await startScript(site.script + work).ended).toMatchObject({ code: 0, stderr: '' });
    const last = await openAt(site);
    expect(await texts(last.journal, 'a')).toEqual(['1:record 1', '2:record 2', '3:record 3']);
    expect(await last.objects.isWhole(sha(utf8('object')))).toBe(true);
  });
});

// What is particular to the store in PostgreSQL: how its server is reached, the lease and its fence, a database that goes away, and uploads
// that two coordinators take.

import { createHash } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { fromUtf8, unixMs, utf8 } from '../../../src/base/index.js';
import { SecretBytes } from '../../../src/crypto/index.js';
import { createAuthority, issueWithNewKey, openAuthority } from '../../../src/pki/index.js';
import {
  demandDatabase,
  describeDatabase,
  examineDatabase,
  openShared,
  StorageError,
  type DatabaseSettings,
  type SharedSettings,
  type SharedStore,
} from '../../../src/storage/index.js';
import { exitCodeFor, EXIT, systemRng } from '../../../src/system/index.js';
import { builtUrl, startScript } from '../../support/built-program.js';
import { hasPostgres, PostgresServer } from '../../support/postgres.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const plain = (url: string, more: Partial<DatabaseSettings> = {}): DatabaseSettings => ({
  url,
  schema: 'veilsum',
  retryMs: 3_000,
  ...more,
});

describe('the address of a database', () => {
  it.each([
    ['with a password in it', 'postgres://veilsum:secret@db.example.org/veilsum'],
    ['without a user', 'postgres://db.example.org/veilsum'],
    ['without a database', 'postgres://veilsum@db.example.org'],
    ['of another kind', 'mysql://veilsum@db.example.org/veilsum'],
    ['with TLS that shows nobody', 'postgres://veilsum@db.example.org/veilsum?sslmode=require'],
    ['in clear over a network', 'postgres://veilsum@db.example.org/veilsum?sslmode=disable'],
    ['with settings that nobody knows', 'postgres://veilsum@db.example.org/veilsum?host=/tmp'],
    ['that is none', 'postgres://%'],
  ])('is refused %s, and not repeated', (_what, url) => {
    const refused = (() => {
      try {
        demandDatabase(plain(url));
      } catch (error) {
        return error as Error;
      }
      return undefined;
    })();
    expect(refused).toMatchObject({ code: 'storage/bad-database' });
    expect(refused?.message).not.toContain('secret');
    expect(exitCodeFor(refused)).toBe(EXIT.usage);
  });

  it('is told to people without anything secret', () => {
    const settings = plain('postgres://veilsum@db.example.org:6432/north', { password: '/etc/secret-file' });
    expect(describeDatabase(settings)).toBe('database "north", schema "veilsum" on db.example.org:6432 as veilsum');
  });
});

describe.skipIf(!hasPostgres())('a store in PostgreSQL', () => {
  let server: PostgresServer;

  beforeAll(async () => {
    server = await PostgresServer.start();
  });

  afterAll(() => server.stop());

  async function fresh(more: Partial<DatabaseSettings> = {}): Promise<DatabaseSettings> {
    return plain(server.url(await server.database()), { password: server.passwordFile, ...more });
  }

  async function open(database: DatabaseSettings, leaseMs = 60_000): Promise<SharedStore> {
    const store = await openShared({
      database,
      pieces: { kind: 'database' },
      leaseMs,
      root: SecretBytes.of<'storage-root'>(new Uint8Array(32).fill(9)),
      uploads: { totalBytes: 1e9 },
    });
    onTestFinished(() => store.close());
    return store;
  }

  async function records({ journal }: SharedStore): Promise<string[]> {
    await journal.refresh();
    const found: string[] = [];
    for await (const { bytes } of journal.readAll('a')) found.push(fromUtf8(bytes));
    return found;
  }

  it('takes its password from a file of either kind, and says what is wrong with it', async () => {
    const settings = await fresh();
    const passfile = join(temporaryFolder(), 'pgpass');
    const lines = ['# of the north', 'other:*:*:*:no', `localhost:${server.port}:*:veil\\sum:${server.password}`, ''];
    writeFileSync(passfile, lines.join('\n'), { mode: 0o600 });
    await open({ ...settings, password: undefined, passfile });
    writeFileSync(passfile, 'other:*:*:*:no\n', { mode: 0o600 });
    await expect(open({ ...settings, password: undefined, passfile })).rejects.toMatchObject({
      code: 'storage/bad-database',
    });
    const wrong = join(temporaryFolder(), 'password');
    writeFileSync(wrong, 'not-the-password\n', { mode: 0o600 });
    const refused = await open({ ...settings, password: wrong }).catch((error: unknown) => error as Error);
    expect(refused).toMatchObject({ code: 'storage/database-refused' });
    expect((refused as Error).message).not.toContain('not-the-password');
  });

  it('speaks TLS to a server whose certificate is good for its name, and to no other', async () => {
    const rng = systemRng;
    const now = unixMs(Date.now());
    const authority = await createAuthority({ consortium: 'north', lifetimeMs: 7_200_000, now, rng });
    const { certificatePem, privateKeyPem } = await issueWithNewKey(await openAuthority(authority), {
      identity: { role: 'coordinator', id: 'coordinator' },
      lifetimeMs: 3_600_000,
      now,
      rng,
      dnsNames: ['localhost'],
    });
    const secured = await PostgresServer.start({ tls: { certificatePem, keyPem: privateKeyPem } });
    onTestFinished(() => secured.stop());
    const ca = join(temporaryFolder(), 'ca.pem');
    writeFileSync(ca, authority.certificatePem);
    const settings = plain(`${secured.url()}?sslmode=verify-full`, { password: secured.passwordFile, ca });
    const shared: SharedSettings = { database: settings, pieces: { kind: 'database' }, leaseMs: 1_000 };
    await expect(examineDatabase(shared)).resolves.toMatchObject({
      tls: true,
      founded: false,
      unsafe: ['fsync', 'full_page_writes'],
    });
    const others = await createAuthority({ consortium: 'south', lifetimeMs: 3_600_000, now, rng });
    writeFileSync(ca, others.certificatePem);
    await expect(examineDatabase(shared)).rejects.toMatchObject({ code: 'storage/database-refused' });
    writeFileSync(ca, authority.certificatePem);
    const url = settings.url.replace('localhost', '127.0.0.1');
    await expect(examineDatabase({ ...shared, database: { ...settings, url } })).rejects.toMatchObject({
      code: 'storage/database-refused',
    });
  });

  it('is written by one at a time: who lost the lease writes nothing more, whatever it had begun', async () => {
    const settings = await fresh();
    const [first, second] = [await open(settings, 200), await open(settings)];
    expect(await first.lease.take()).toBe(true);
    expect(await second.lease.take()).toBe(false);
    await first.journal.append('a', [utf8('of the first')]);
    while (!(await second.lease.take())) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(second.lease.token).toBe(2);
    const late = first.journal.append('a', [utf8('too late')]);
    await expect(late).rejects.toMatchObject({ code: 'storage/lease-lost', category: 'unavailable' });
    await expect(first.lease.renew()).rejects.toMatchObject({ code: 'storage/lease-lost' });
    await expect(first.uploads.delete('x')).rejects.toMatchObject({ code: 'storage/lease-lost' });
    expect([await first.lease.isOurs(), await second.lease.isOurs()]).toEqual([false, true]);
    expect(await records(second)).toEqual(['of the first']);
    await second.journal.append('a', [utf8('of the second')]);
    expect(await records(second)).toEqual(['of the first', 'of the second']);
  });

  it('makes a takeover wait for a transaction under way, so that its reader misses nothing', async () => {
    const settings = await fresh();
    const [first, second] = [await open(settings, 100), await open(settings)];
    await first.lease.take();
    let committing: () => void = () => undefined;
    const slow = first.lease.fenced('slow', async (run) => {
      await new Promise<void>((resolve) => (committing = resolve));
      await run(`INSERT INTO piece VALUES ('slow', '')`);
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    let taken = false;
    const takeover = second.lease.take().then(async (done) => {
      taken = done;
      return (await second.database.query(`SELECT 1 FROM piece WHERE key = 'slow'`)).rowCount;
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(taken).toBe(false);
    committing();
    await slow;
    expect(await takeover).toBe(1);
  });

  it('ends the transaction of a leader that stands still in its middle, so that another can take over', async () => {
    const settings = await fresh({ standstillMs: 200 });
    const [first, second] = [await open(settings, 100), await open(settings)];
    await first.lease.take();
    let wake: () => void = () => undefined;
    const asleep = first.lease.fenced('asleep', async (run) => {
      await run(`INSERT INTO piece VALUES ('asleep', '')`);
      await new Promise<void>((resolve) => (wake = resolve));
      await run(`INSERT INTO piece VALUES ('awake', '')`);
    });
    while (!(await second.lease.take())) await new Promise((resolve) => setTimeout(resolve, 20));
    wake();
    await expect(asleep).rejects.toMatchObject({ code: 'storage/lease-lost' });
    expect((await second.database.query(`SELECT key FROM piece`)).rows).toEqual([]);
  });

  it('takes back nothing that it has appended, when a look at the journal that began before ends after it', async () => {
    const settings = await fresh();
    const [before, store] = [await open(settings), await open(settings)];
    await before.lease.take();
    await before.journal.append('a', [utf8('one')]);
    const { query } = store.database;
    let asked = 0;
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    store.database.query = async (text, values) => {
      const isFirst = asked++ === 0;
      const found = await query(text, values);
      if (isFirst) await held;
      return found as never;
    };
    const early = store.journal.refresh();
    await before.journal.append('a', [utf8('two')]);
    await before.lease.release();
    await store.lease.take();
    const led = store.journal.refresh().then(() => store.journal.append('a', [utf8('three')]));
    await Promise.race([led, new Promise((resolve) => setTimeout(resolve, 50))]);
    release();
    await Promise.all([early, led]);
    await store.journal.append('a', [utf8('four')]);
    expect(await records(store)).toEqual(['one', 'two', 'three', 'four']);
  });

  it('waits for a database that is away, acknowledges nothing meanwhile, and goes on under a new token', async () => {
    const store = await open(await fresh({ retryMs: 30_000 }));
    await store.lease.take();
    await store.journal.append('a', [utf8('before')]);
    await server.halt();
    let acknowledged = 0;
    const appends = ['during', 'after'].map((text) =>
      store.journal.append('a', [utf8(text)]).then(() => (acknowledged += 1)),
    );
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(acknowledged).toBe(0);
    await server.restart();
    await Promise.all(appends);
    expect(await records(store)).toEqual(['before', 'during', 'after']);
    expect(store.lease.token).toBe(2);
  });

  it('ends with a clear code when the database stays away', async () => {
    const store = await open(await fresh({ retryMs: 200 }));
    await store.lease.take();
    await server.halt();
    const failed = await store.journal.append('a', [utf8('x')]).catch((error: unknown) => error);
    await server.restart();
    expect(failed).toMatchObject({ code: 'storage/database-away', category: 'unavailable' });
    expect(exitCodeFor(failed)).toBe(EXIT.unreachable);
    // Whether it was written is not known to whoever asked, so nothing more is taken.
    await expect(store.journal.append('a', [utf8('y')])).rejects.toMatchObject({ code: 'storage/database-away' });
  });

  it('finds a row that was changed, moved or taken away', async () => {
    const settings = await fresh();
    const store = await open(settings);
    await store.lease.take();
    await store.journal.append('a', [utf8('one'), utf8('two'), utf8('three')]);
    await store.journal.put('k', utf8('v'));
    expect(await store.journal.check()).toMatchObject({ whole: 4, problems: [] });
    const { query } = store.database;
    await query(`UPDATE entry SET value = set_byte(value, 20, get_byte(value, 20) # 1) WHERE place = (
      SELECT place FROM entry WHERE substring(place FOR 1) = '\\x01' ORDER BY place LIMIT 1)`);
    expect((await store.journal.check()).problems.map(({ where }) => where)).toEqual(['a/1']);
    await expect(records(store)).rejects.toMatchObject({ code: 'storage/damaged' });
    await query(`DELETE FROM entry WHERE place = (
      SELECT place FROM entry WHERE substring(place FOR 1) = '\\x01' ORDER BY place DESC LIMIT 1)`);
    expect((await store.journal.check()).problems.map(({ where }) => where)).toEqual(['a/1', 'a']);
  });

  it('has one of two coordinators refused that hear the same silo, and either goes on where the other was', async () => {
    const settings = await fresh();
    const [first, second] = [await open(settings), await open(settings)];
    await first.lease.take();
    const here = await first.uploads.upload('job.1.0');
    const there = await second.uploads.upload('job.1.0');
    expect(here.generation).toBe(there.generation);
    await here.append(0, utf8('abc'));
    await there.append(0, utf8('abcd'));
    await here.sync();
    await expect(there.sync()).rejects.toMatchObject({ code: 'storage/upload-moved', category: 'unavailable' });
    const again = await second.uploads.upload('job.1.0');
    expect(again.durableOffset).toBe(3);
    await again.append(1, utf8('bcd'));
    expect(await again.sync()).toBe(4);
    const parts: string[] = [];
    for await (const bytes of (await first.uploads.upload('job.1.0')).readChunks(3)) parts.push(fromUtf8(bytes));
    expect(parts).toEqual(['abc', 'd']);
    await first.uploads.delete('job.1.0');
    const left = await first.database.query(`SELECT key FROM piece UNION SELECT key FROM dropped_piece`);
    expect(left.rows).toEqual([]);
    await expect(again.append(4, utf8('e')).then(() => again.sync())).rejects.toMatchObject({
      code: 'storage/upload-moved',
    });
  });

  it('keeps a part of an upload whose commit was not heard of, although another coordinator has gone on from there', async () => {
    const settings = await fresh();
    const [first, second] = [await open(settings), await open(settings)];
    const here = await first.uploads.upload('job.1.0');
    const { database } = first;
    const once = database.transaction.bind(database);
    database.transaction = async (work) => {
      database.transaction = once;
      await once(work);
      // The connection breaks before the answer is there: the silo goes to the other one, and then this one tries again.
      const there = await second.uploads.upload('job.1.0');
      await there.append(3, utf8('def'));
      await there.sync();
      return once(work);
    };
    await here.append(0, utf8('abc'));
    expect(await here.sync()).toBe(3);
    const parts: string[] = [];
    for await (const bytes of (await second.uploads.upload('job.1.0')).readChunks(6)) parts.push(fromUtf8(bytes));
    expect(parts).toEqual(['abcdef']);
  });

  const sha = (text: string): string => createHash('sha256').update(text).digest('hex');

  it('keeps an object whose commit was not heard of, and takes an object that another stores at the same time for its own', async () => {
    const settings = await fresh();
    const [first, second] = [await open(settings), await open(settings)];
    const { database } = first;
    const once = database.transaction.bind(database);
    const lost = new StorageError('storage/database-away', 'it went away', { category: 'unavailable' });
    database.transaction = async (work) => {
      database.transaction = once;
      await once(work);
      throw lost;
    };
    const objects = first.objects('objects');
    await expect(objects.put(sha('x'), utf8('x'))).rejects.toBe(lost);
    expect(await objects.isWhole(sha('x'))).toBe(true);
    await Promise.all([objects.put(sha('y'), utf8('y')), second.objects('objects').put(sha('y'), utf8('y'))]);
    expect(await objects.isWhole(sha('y'))).toBe(true);
    await first.sweep();
    const { rows } = await database.query(`SELECT (SELECT count(*)::int FROM piece) AS pieces,
      (SELECT count(*)::int FROM piece_under_way) AS announced`);
    expect(rows).toEqual([{ pieces: 2, announced: 0 }]);
  });

  it.each([
    ['storage.before-piece', 0],
    ['storage.after-piece', 1],
    ['system.before-rename.pieces', 1],
  ] as const)(
    'finds what was put and never named after a kill at %s, and deletes it when its time is up',
    async (place, left) => {
      const database = await fresh();
      const folder = join(temporaryFolder(), 'pieces');
      const options = {
        database,
        pieces: { kind: 'folder', folder },
        leaseMs: 60_000,
        uploads: { totalBytes: 1e9 },
      } as const;
      const script = `
      import { openShared } from ${JSON.stringify(builtUrl('src/storage/index.ts'))};
      import { SecretBytes } from ${JSON.stringify(builtUrl('src/crypto/index.ts'))};
      const store = await openShared({ ...${JSON.stringify(options)}, root: SecretBytes.of(new Uint8Array(32).fill(9)) });
      const upload = await store.uploads.upload('job.1.0');
      await upload.append(0, new TextEncoder().encode('abc'));
      await upload.sync();`;
      expect(await startScript(script, { VEILSUM_FAILPOINT: place }).ended).toMatchObject({
        signal: 'SIGKILL',
        stderr: '',
      });
      const store = await openShared({ ...options, root: SecretBytes.of<'storage-root'>(new Uint8Array(32).fill(9)) });
      onTestFinished(() => store.close());
      const files = (): number =>
        readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile()).length;
      expect(files()).toBe(left);
      const here = await store.uploads.upload('job.1.0');
      await here.append(0, utf8('xyz'));
      await here.sync();
      // Of what is younger nobody knows whether its writer lives.
      await store.sweep();
      expect(files()).toBe(left + 1);
      const { query } = store.database;
      await query(`UPDATE piece_under_way SET since = since - interval '2 hours'`);
      await store.sweep();
      expect(files()).toBe(1);
      expect((await query(`SELECT key FROM piece_under_way`)).rows).toEqual([]);
      // One that slept until its bytes were given up cannot name them any more.
      const transaction = store.database.transaction.bind(store.database);
      store.database.transaction = async (work) => {
        await query(`UPDATE piece_under_way SET since = since - interval '2 hours'`);
        await store.sweep();
        return transaction(work);
      };
      await here.append(3, utf8('!'));
      await expect(here.sync()).rejects.toMatchObject({ code: 'storage/upload-moved', category: 'unavailable' });
      expect(files()).toBe(1);
    },
  );

  it('changes the tables of the version before, and refuses those of a later one', async () => {
    const settings = await fresh();
    const store = await open(settings);
    await store.lease.take();
    await store.journal.append('a', [utf8('kept')]);
    await store.database.query(`DROP TABLE piece_under_way`);
    await store.database.query(`UPDATE veilsum.format SET version = 1`);
    const again = await open(settings);
    expect(await records(again)).toEqual(['kept']);
    expect((await again.database.query(`SELECT version FROM veilsum.format`)).rows).toEqual([{ version: 2 }]);
    await (await again.uploads.upload('job.1.0')).append(0, utf8('abc'));
    await again.database.query(`UPDATE veilsum.format SET version = 3`);
    await expect(open(settings)).rejects.toMatchObject({ code: 'storage/unknown-format' });
  });

  it('carries what coordinators say to each other sealed, and forgets it', async () => {
    const settings = await fresh();
    const [leader, other] = [await open(settings), await open(settings)];
    await leader.lease.take();
    await Promise.all([leader.bell.listen(), other.bell.listen()]);
    const answer = other.meeting.ask(utf8('a message in clear'), 10_000);
    let asked = await leader.meeting.asked();
    while (asked.length === 0) {
      await leader.bell.heard('request', 100);
      asked = await leader.meeting.asked();
    }
    expect(asked.map(({ body }) => fromUtf8(body))).toEqual(['a message in clear']);
    const { rows } = await leader.database.query<{ body: Buffer }>(`SELECT body FROM request`);
    expect(rows[0]?.body.includes('a message in clear')).toBe(false);
    await leader.meeting.answer(asked[0]!.id, utf8('heard'));
    expect(fromUtf8((await answer)!)).toBe('heard');
    expect(await other.meeting.ask(utf8('nobody hears this'), 100)).toBeUndefined();
    await other.meeting.attend(['hospital-a']);
    expect(await leader.meeting.others(10_000)).toEqual([{ id: other.meeting.id, silos: ['hospital-a'] }]);
    // After a long outage whoever is back first takes the others for gone.
    await leader.database.query(`DELETE FROM coordinator`);
    await other.meeting.beat();
    expect(await leader.meeting.others(10_000)).toEqual([{ id: other.meeting.id, silos: ['hospital-a'] }]);
    await other.meeting.leave();
    expect(await leader.meeting.others(10_000)).toEqual([]);
  });
});

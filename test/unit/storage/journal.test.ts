import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fromUtf8, utf8 } from '../../../src/base/index.js';
import { SecretBytes } from '../../../src/crypto/index.js';
import { checkJournal, Journal, RECORD_BYTES_MAX, Sealer } from '../../../src/storage/index.js';
import { Environment } from '../../../src/storage/environment.js';
import { headPlace, metaPlace, pairPlace, recordPlace } from '../../../src/storage/place.js';
import { builtUrl, startScript } from '../../support/built-program.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const sealer = (byte = 1): Sealer => Sealer.derive(SecretBytes.of(new Uint8Array(32).fill(byte)), 'journal');

async function texts(journal: Journal, name: string, from = 1): Promise<string[]> {
  const found: string[] = [];
  for await (const { sequence, bytes } of journal.readFrom(name, from)) found.push(`${sequence}:${fromUtf8(bytes)}`);
  return found;
}

describe.each([
  ['plain', undefined],
  ['sealed', sealer()],
] as const)('a %s journal', (_kind, seal) => {
  it('returns records in order, numbered from 1, also after reopening', async () => {
    const path = join(temporaryFolder(), 'journal');
    const journal = await Journal.open({ path, sealer: seal });
    expect(await journal.append('round', [utf8('a'), utf8('')])).toEqual([1, 2]);
    expect(await journal.append('round', [utf8('c')])).toEqual([3]);
    expect(await journal.append('other', [utf8('x')])).toEqual([1]);
    await journal.close();
    const again = await Journal.open({ path, sealer: seal });
    expect(await texts(again, 'round')).toEqual(['1:a', '2:', '3:c']);
    expect(await texts(again, 'round', 3)).toEqual(['3:c']);
    expect(await texts(again, 'nothing')).toEqual([]);
    expect(again.journals()).toEqual(['other', 'round']);
    expect(await again.append('round', [utf8('d')])).toEqual([4]);
    await again.close();
    expect(statSync(path).mode & 0o077).toBe(0);
  });

  it('commits appends and pairs together', async () => {
    const path = join(temporaryFolder(), 'journal');
    const journal = await Journal.open({ path, sealer: seal });
    await journal.put('old', utf8('1'));
    const sequences = await journal.transaction([
      { kind: 'append', journal: 'a', record: utf8('charge') },
      { kind: 'append', journal: 'b', record: utf8('masked') },
      { kind: 'append', journal: 'a', record: utf8('second') },
      { kind: 'put', key: 'new', value: utf8('2') },
      { kind: 'put', key: 'empty', value: new Uint8Array(0) },
      { kind: 'delete', key: 'old' },
    ]);
    expect(sequences).toEqual([1, 1, 2]);
    expect(journal.get('old')).toBeUndefined();
    expect(journal.get('new')).toEqual(utf8('2'));
    expect(journal.get('empty')).toEqual(new Uint8Array(0));
    expect(journal.keys()).toEqual(['empty', 'new']);
    expect(journal.keys('n')).toEqual(['new']);
    await journal.delete('never there');
    expect(await journal.transaction([])).toEqual([]);
    await journal.close();
    expect((await checkJournal(path, seal)).problems).toEqual([]);
  });

  it('numbers concurrent appends in the order of the calls', async () => {
    const journal = await Journal.open({ path: join(temporaryFolder(), 'journal'), sealer: seal });
    const appends = Array.from({ length: 50 }, (_, i) => journal.append('a', [utf8(`${i}`)]));
    expect(await texts(journal, 'a')).toHaveLength(50);
    expect((await Promise.all(appends)).flat()).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
    expect((await texts(journal, 'a'))[7]).toBe('8:7');
    await journal.close();
  });

  it('is durable when closed under way', async () => {
    const path = join(temporaryFolder(), 'journal');
    const journal = await Journal.open({ path, sealer: seal });
    const append = journal.append('a', [utf8('x')]);
    await journal.close();
    expect(await append).toEqual([1]);
    const again = await Journal.open({ path, sealer: seal });
    expect(await texts(again, 'a')).toEqual(['1:x']);
    await again.close();
  });
});

describe('a journal refuses', () => {
  it('a name that cannot be a journal’s or a key’s, and leaves nothing', async () => {
    const journal = await Journal.open({ path: join(temporaryFolder(), 'journal') });
    const bad = { code: 'storage/bad-name' };
    for (const name of ['', 'A', 'a/b', 'a\0b', '.a', 'a'.repeat(64)])
      await expect(journal.append(name, [utf8('x')])).rejects.toMatchObject(bad);
    await expect(journal.put('', utf8('x'))).rejects.toMatchObject(bad);
    await expect(journal.put('k'.repeat(600), utf8('x'))).rejects.toMatchObject(bad);
    const mixed = [
      { kind: 'append', journal: 'good', record: utf8('x') },
      { kind: 'put', key: '', value: utf8('x') },
    ] as const;
    await expect(journal.transaction(mixed)).rejects.toMatchObject(bad);
    expect(journal.journals()).toEqual([]);
    expect(await journal.append('good', [utf8('y')])).toEqual([1]);
    await journal.close();
  });

  it('a record that is too large', async () => {
    const journal = await Journal.open({ path: join(temporaryFolder(), 'journal') });
    await expect(journal.append('a', [new Uint8Array(RECORD_BYTES_MAX + 1)])).rejects.toMatchObject({
      code: 'storage/record-too-large',
    });
    await journal.close();
  });

  it('to work after it was closed', async () => {
    const journal = await Journal.open({ path: join(temporaryFolder(), 'journal') });
    await journal.close();
    await expect(journal.append('a', [utf8('x')])).rejects.toMatchObject({ code: 'storage/closed' });
    expect(() => journal.get('a')).toThrow(expect.objectContaining({ code: 'storage/closed' }));
  });

  it('a store of an unknown format', async () => {
    const path = join(temporaryFolder(), 'journal');
    const environment = await Environment.open(path);
    await environment.commit([{ kind: 'put', place: metaPlace('format'), value: utf8('veilsum-journal/2 plain') }]);
    await environment.close();
    await expect(Journal.open({ path })).rejects.toMatchObject({ code: 'storage/unknown-format' });
  });

  it('a store with records and no format', async () => {
    const path = join(temporaryFolder(), 'journal');
    const environment = await Environment.open(path);
    await environment.commit([{ kind: 'put', place: pairPlace('x'), value: utf8('x') }]);
    await environment.close();
    await expect(Journal.open({ path })).rejects.toMatchObject({ code: 'storage/unknown-format' });
  });

  it('another key, no key, and a key that is not wanted', async () => {
    const folder = temporaryFolder();
    const [sealed, plain] = [join(folder, 'sealed'), join(folder, 'plain')];
    await (await Journal.open({ path: sealed, sealer: sealer() })).close();
    await (await Journal.open({ path: plain })).close();
    await expect(Journal.open({ path: sealed, sealer: sealer(2) })).rejects.toMatchObject({
      code: 'storage/wrong-key',
    });
    await expect(Journal.open({ path: sealed })).rejects.toMatchObject({ code: 'storage/sealing-mismatch' });
    await expect(Journal.open({ path: plain, sealer: sealer() })).rejects.toMatchObject({
      code: 'storage/sealing-mismatch',
    });
  });
});

describe('a damaged journal', () => {
  async function damaged(change: (environment: Environment) => Promise<void>): Promise<string> {
    const path = join(temporaryFolder(), 'journal');
    const journal = await Journal.open({ path, sealer: sealer() });
    await journal.append('a', [utf8('one'), utf8('two'), utf8('three')]);
    await journal.append('b', [utf8('one')]);
    await journal.put('k', utf8('v'));
    await journal.close();
    expect(await checkJournal(path, sealer())).toMatchObject({ whole: 5, problems: [] });
    const environment = await Environment.open(path);
    await change(environment);
    await environment.close();
    return path;
  }
  const valueAt = (environment: Environment, place: Uint8Array): Uint8Array => environment.get(place)!;
  async function readAll(path: string, name: string): Promise<unknown> {
    const journal = await Journal.open({ path, sealer: sealer() });
    try {
      return await texts(journal, name);
    } finally {
      await journal.close();
    }
  }

  it.each([
    ['within a journal', recordPlace('a', 1), recordPlace('a', 2)],
    ['between journals', recordPlace('a', 1), recordPlace('b', 1)],
  ])('refuses sealed records that were swapped %s', async (_what, left, right) => {
    const path = await damaged(async (environment) => {
      await environment.commit([
        { kind: 'put', place: left, value: valueAt(environment, right) },
        { kind: 'put', place: right, value: valueAt(environment, left) },
      ]);
    });
    await expect(readAll(path, 'a')).rejects.toMatchObject({ code: 'storage/damaged' });
    expect((await checkJournal(path, sealer())).problems).toHaveLength(2);
  });

  it('refuses a record with one bit changed, and names it without its content', async () => {
    const path = await damaged(async (environment) => {
      const value = valueAt(environment, recordPlace('a', 2));
      value[20]! ^= 1;
      await environment.commit([{ kind: 'put', place: recordPlace('a', 2), value }]);
    });
    await expect(readAll(path, 'a')).rejects.toMatchObject({ code: 'storage/damaged' });
    expect(await readAll(path, 'b')).toEqual(['1:one']);
    const { problems, whole } = await checkJournal(path, sealer());
    expect(problems.map((problem) => problem.where)).toEqual(['a/2']);
    expect(whole).toBe(4);
  });

  it('refuses a record missing in the middle', async () => {
    const path = await damaged((environment) => environment.commit([{ kind: 'remove', place: recordPlace('a', 2) }]));
    await expect(readAll(path, 'a')).rejects.toMatchObject({ code: 'storage/damaged' });
    expect((await checkJournal(path, sealer())).problems).toEqual([{ where: 'a/2', what: 'missing up to 2' }]);
  });

  it('refuses a tail that was cut off', async () => {
    const path = await damaged((environment) => environment.commit([{ kind: 'remove', place: recordPlace('a', 3) }]));
    await expect(readAll(path, 'a')).rejects.toMatchObject({ code: 'storage/damaged' });
    expect((await checkJournal(path, sealer())).problems).toEqual([
      { where: 'a', what: 'ends at 2, and its head says 3' },
    ]);
  });

  it('refuses a head that was exchanged', async () => {
    const path = await damaged(async (environment) => {
      await environment.commit([
        { kind: 'put', place: headPlace('a'), value: valueAt(environment, headPlace('b')) },
        { kind: 'remove', place: recordPlace('a', 3) },
        { kind: 'remove', place: recordPlace('a', 2) },
      ]);
    });
    await expect(Journal.open({ path, sealer: sealer() })).rejects.toMatchObject({ code: 'storage/damaged' });
    expect((await checkJournal(path, sealer())).problems.map((problem) => problem.where)).toContain('heads');
  });
});

describe('on the disk', () => {
  it('a sealed journal holds no plaintext, and a plain one does, so that the search means something', async () => {
    const folder = temporaryFolder();
    const secret = 'rho-of-this-attempt-in-clear';
    const found: boolean[] = [];
    for (const [name, seal] of [
      ['sealed', sealer()],
      ['plain', undefined],
    ] as const) {
      const path = join(folder, name);
      const journal = await Journal.open({ path, sealer: seal });
      await journal.append('a', [utf8(secret)]);
      await journal.put('k', utf8(secret));
      await journal.delete('k');
      await journal.close();
      found.push(readdirSync(path).some((file) => readFileSync(join(path, file)).includes(secret)));
    }
    expect(found).toEqual([false, true]);
  });
});

describe('after kill -9', () => {
  const storage = JSON.stringify(builtUrl('src/storage/index.ts'));
  const writer = (path: string): string => `import { Journal } from ${storage};
    import { writeSync } from 'node:fs';
    const journal = await Journal.open({ path: ${JSON.stringify(path)} });
    writeSync(1, 'open\\n');
    for (let i = journal.lastSequence('a') + 1; ; i++) {
      await journal.transaction([
        { kind: 'append', journal: 'a', record: new TextEncoder().encode('record ' + i) },
        { kind: 'put', key: 'count', value: new TextEncoder().encode(String(i)) },
      ]);
      writeSync(1, 'ack ' + i + '\\n');
    }`;

  it('every acknowledged record is there, transactions are whole, and writing goes on', async () => {
    const path = join(temporaryFolder(), 'journal');
    let before = 0;
    for (let life = 0; life < 4; life++) {
      const running = startScript(writer(path));
      await running.line(`ack ${before + 20}`);
      running.child.kill('SIGKILL');
      const end = await running.ended;
      expect(end.signal).toBe('SIGKILL');
      const acknowledged = Number(end.stdout.trim().split('\n').at(-1)!.split(' ')[1]);
      const journal = await Journal.open({ path });
      const records = await texts(journal, 'a');
      expect(records.length).toBeGreaterThanOrEqual(acknowledged);
      expect(records.length).toBeLessThanOrEqual(acknowledged + 1);
      records.forEach((text, i) => {
        expect(text).toBe(`${i + 1}:record ${i + 1}`);
      });
      expect(fromUtf8(journal.get('count')!)).toBe(String(records.length));
      await journal.close();
      expect((await checkJournal(path)).problems).toEqual([]);
      before = records.length;
    }
  });

  it.each([
    ['storage.before-commit', 2],
    ['storage.after-commit', 3],
  ])('at %s the third transaction is all there or not at all', async (point, expected) => {
    const path = join(temporaryFolder(), 'journal');
    const end = await startScript(writer(path), { VEILSUM_FAILPOINT: `${point}@3` }).ended;
    expect(end).toMatchObject({ signal: 'SIGKILL', stdout: 'open\nack 1\nack 2\n' });
    const journal = await Journal.open({ path });
    expect(await texts(journal, 'a')).toHaveLength(expected);
    expect(fromUtf8(journal.get('count')!)).toBe(String(expected));
    await journal.close();
  });
});

describe('a journal whose beginning was erased', () => {
  it('goes on with the same numbers, begins where it was told, and holds none of what was before', async () => {
    const path = join(temporaryFolder(), 'journal');
    const journal = await Journal.open({ path });
    await journal.append('a', [utf8('one'), utf8('two')]);
    await journal.append('b', [utf8('other')]);
    const drop = { kind: 'drop-before', journal: 'a' } as const;
    expect(await journal.transaction([drop, { kind: 'append', journal: 'a', record: utf8('kept') }])).toEqual([3]);
    await journal.append('a', [utf8('four')]);
    await journal.close();
    const again = await Journal.open({ path });
    expect([again.firstSequence('a'), again.firstSequence('b'), again.lastSequence('a')]).toEqual([3, 1, 4]);
    const all: string[] = [];
    for await (const { bytes } of again.readAll('a')) all.push(fromUtf8(bytes));
    expect(all).toEqual(['kept', 'four']);
    await expect(texts(again, 'a')).rejects.toMatchObject({ code: 'storage/damaged' });
    expect(await again.transaction([drop, { kind: 'append', journal: 'a', record: utf8('new') }])).toEqual([5]);
    await again.close();
    expect((await checkJournal(path)).problems).toEqual([]);
    const environment = await Environment.open(path);
    const places = [...environment.range({ start: recordPlace('a', 0), end: recordPlace('a', 99) })];
    expect(places.map(({ place }) => place.at(-1))).toEqual([5]);
    await environment.close();
  });

  it('whose first record is missing is not whole', async () => {
    const path = join(temporaryFolder(), 'journal');
    const journal = await Journal.open({ path });
    await journal.append('a', [utf8('one')]);
    await journal.transaction([
      { kind: 'drop-before', journal: 'a' },
      { kind: 'append', journal: 'a', record: utf8('two') },
      { kind: 'append', journal: 'a', record: utf8('three') },
    ]);
    await journal.close();
    const environment = await Environment.open(path);
    await environment.commit([{ kind: 'remove', place: recordPlace('a', 2) }]);
    await environment.close();
    expect((await checkJournal(path)).problems).toMatchObject([{ where: 'a/2' }]);
  });
});

describe('a disk that refuses', () => {
  it('makes the commit reject, takes nothing more, and keeps what was acknowledged', async () => {
    const path = join(temporaryFolder(), 'journal');
    const script = `import { Journal } from ${JSON.stringify(builtUrl('src/storage/index.ts'))};
      const journal = await Journal.open({ path: ${JSON.stringify(path)} });
      let acknowledged = 0;
      try {
        for (;;) { await journal.append('a', [new Uint8Array(100_000)]); acknowledged++; }
      } catch (error) { console.log(error.code); }
      await journal.append('a', [new Uint8Array(1)]).catch((error) => console.log(error.code));
      console.log(acknowledged);
      await journal.close();`;
    // A limit on the size of files, with its signal ignored, makes writes fail as a full disk does.
    const limited = `trap '' XFSZ; ulimit -f 2000; exec "$0" --input-type=module -e "$1"`;
    const child = spawn('bash', ['-c', limited, process.execPath, script], { stdio: ['ignore', 'pipe', 'ignore'] });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    const code = await new Promise((resolve) => child.on('close', resolve));
    const [first, second, acknowledged] = stdout.trim().split('\n');
    expect([code, first, second]).toEqual([0, 'storage/persist-failed', 'storage/closed']);
    expect(Number(acknowledged)).toBeGreaterThan(3);
    const journal = await Journal.open({ path });
    expect(await texts(journal, 'a')).toHaveLength(Number(acknowledged));
    await journal.close();
  });
});

// The log on disk: what it says after any crash, what its files are, and what fsck finds.

import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { concat, hex, LIMITS, utf8, type Hash } from '../../../src/base/index.js';
import { SecretBytes, SigningKey } from '../../../src/crypto/index.js';
import { checkLog, TransparencyLog } from '../../../src/storage/index.js';
import { RecentEntries } from '../../../src/storage/log/recent.js';
import { Environment } from '../../../src/storage/environment.js';
import {
  addSignature,
  cosign,
  encodeBundle,
  encodeHashTile,
  formatNote,
  leafHash,
  nodesFromTiles,
  rootOf,
  signCheckpoint,
  tilePath,
  tilesOf,
  verifyConsistency,
  verifyInclusion,
} from '../../../src/transcript/index.js';
import { builtUrl, startScript } from '../../support/built-program.js';
import { growTree } from '../../support/log-tree.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const refusal = (code: string): Error => expect.objectContaining({ code }) as Error;
const SIZE = 700;
const ENTRIES = Array.from({ length: SIZE }, (_, k) => utf8(`entry ${k}${'.'.repeat(k % 50)}`));
const TREE = growTree(ENTRIES);
const rootAt = (size: number): Hash => TREE.ranges[size]!.root();
const KEY = SigningKey.from(SecretBytes.of(new Uint8Array(32).fill(5)));
const noteAt = (size: number, root = rootAt(size), origin = 'heartland/log'): Uint8Array =>
  formatNote(signCheckpoint({ origin, size, root }, KEY));

/** Files under the public folder by their path. */
function publicFiles(folder: string): Map<string, Uint8Array> {
  const top = join(folder, 'public');
  const found = new Map<string, Uint8Array>();
  for (const entry of readdirSync(top, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) {
      const path = join(entry.parentPath, entry.name);
      found.set(path.slice(top.length + 1), readFileSync(path));
    }
  return found;
}

/** A log with entries up to each size in turn, published there. */
async function logOf(folder: string, ...sizes: readonly number[]): Promise<TransparencyLog> {
  const log = await TransparencyLog.open(folder);
  for (const size of sizes) {
    await log.append(ENTRIES.slice(log.size, size));
    await log.publish(noteAt(size));
  }
  return log;
}

async function problemsOf(folder: string): Promise<string[]> {
  return (await checkLog(folder)).problems.map(({ where, what }) => `${where}: ${what}`);
}

async function expectSame(log: TransparencyLog, size: number): Promise<void> {
  expect(log.size).toBe(size);
  expect(hex(log.root())).toBe(hex(rootAt(size)));
  let at = 0;
  for await (const { index, bytes } of log.entries(0, size + 10)) {
    expect(index).toBe(at++);
    if (hex(bytes) !== hex(ENTRIES[index]!)) expect.fail(`entry ${index}`);
  }
  expect(at).toBe(size);
}

describe('a log', () => {
  it('gives back entries, roots and proofs that verify, before and after publishing and reopening', async () => {
    const folder = temporaryFolder();
    let log = await TransparencyLog.open(folder);
    expect([log.size, log.latestCheckpoint()]).toEqual([0, undefined]);
    expect(hex(log.root())).toBe(hex(rootAt(0)));
    for (const size of [1, 3, 255, 256, 257, 511, 512, 513, SIZE]) {
      const first = log.size;
      expect(await log.append(ENTRIES.slice(first, size))).toBe(first);
      if (size % 2 === 1) await log.publish(noteAt(size));
      await expectSame(log, size);
      if (size > 200) {
        await log.close();
        log = await TransparencyLog.open(folder);
        await expectSame(log, size);
      }
      for (const index of [0, Math.floor(size / 2), size - 1]) {
        expect(verifyInclusion(leafHash(ENTRIES[index]!), index, size, log.inclusion(index), log.root())).toBe(true);
        expect(verifyConsistency(index, size, log.consistency(index), log.root(index), log.root())).toBe(true);
        expect(await log.entry(index)).toEqual(ENTRIES[index]);
      }
    }
    expect(verifyInclusion(leafHash(ENTRIES[7]!), 7, 300, log.inclusion(7, 300), rootAt(300))).toBe(true);
    expect(verifyConsistency(256, 600, log.consistency(256, 600), rootAt(256), rootAt(600))).toBe(true);
    await log.close();
    expect(statSync(folder).mode & 0o700).toBe(0o700);
    expect(await problemsOf(folder)).toEqual([]);
  });

  it('numbers what is appended at once in the order of the calls, and says nothing of what is not durable', async () => {
    const log = await TransparencyLog.open(temporaryFolder());
    const runs = [ENTRIES.slice(0, 3), ENTRIES.slice(3, 4), [], ENTRIES.slice(4, 10)].map((part) => log.append(part));
    expect(log.size).toBe(0);
    expect(await Promise.all(runs)).toEqual([0, 3, 4, 4]);
    await expectSame(log, 10);
    await log.close();
  });

  it('refuses an entry that no bundle can hold, and goes on without it', async () => {
    const log = await TransparencyLog.open(temporaryFolder());
    const large = new Uint8Array(LIMITS.logEntryBytes + 1);
    await expect(log.append([ENTRIES[0]!, large])).rejects.toThrow(refusal('transcript/entry-too-large'));
    expect(log.size).toBe(0);
    expect(await log.append([large.subarray(1), new Uint8Array(0)])).toBe(0);
    expect(await log.entry(1)).toEqual(new Uint8Array(0));
    expect((await log.entry(0)).length).toBe(LIMITS.logEntryBytes);
    await log.close();
  });

  it('holds the newest entries in memory, as many as there is room for', () => {
    const recent = new RecentEntries(100);
    recent.add(7, [new Uint8Array(40), Uint8Array.of(8)]);
    expect(recent.at(8)).toEqual(Uint8Array.of(8));
    expect(recent.at(7)?.length).toBe(40);
    recent.add(9, [new Uint8Array(60)]);
    expect([6, 7, 8, 9].map((index) => recent.at(index)?.length)).toEqual([undefined, undefined, 1, 60]);
  });

  it('refuses what it does not hold', async () => {
    const log = await logOf(temporaryFolder(), 5);
    for (const index of [5, -1, 0.5]) await expect(log.entry(index)).rejects.toThrow(refusal('storage/bad-range'));
    expect(() => log.root(6)).toThrow(refusal('storage/bad-range'));
    expect(() => log.inclusion(0, 6)).toThrow(refusal('storage/bad-range'));
    expect(() => log.consistency(0, 6)).toThrow(refusal('storage/bad-range'));
    expect(() => log.inclusion(5)).toThrow(refusal('transcript/out-of-range'));
    expect(() => log.consistency(6)).toThrow(refusal('transcript/out-of-range'));
    await log.close();
    await expect(log.append([utf8('late')])).rejects.toThrow(refusal('storage/closed'));
  });

  it('keeps in the environment only what no full tile holds', async () => {
    const folder = temporaryFolder();
    await (await logOf(folder, 300, 600)).close();
    const environment = await Environment.open(join(folder, 'pending'), { readOnly: true });
    const count = (table: number): number =>
      [...environment.range({ start: Uint8Array.of(table), end: Uint8Array.of(table + 1) })].length;
    // 600 = 2 · 256 + 88: 88 entries, 88 leaf hashes and the roots of two full tiles.
    expect([count(1), count(2)]).toEqual([88, 90]);
    await environment.close();
  });
});

describe('the files of a log', () => {
  it('are those of the tlog-tiles layout, byte for byte, with the checkpoint beside them', async () => {
    for (const sizes of [[0], [1], [256], [257], [100, 200, SIZE]]) {
      const folder = temporaryFolder();
      await (await logOf(folder, ...sizes)).close();
      const size = sizes.at(-1)!;
      const expected = new Map<string, Uint8Array>([['checkpoint', noteAt(size)]]);
      for (const tile of tilesOf(size))
        expected.set(
          tilePath(tile),
          tile.kind === 'hashes'
            ? encodeHashTile(tile, TREE.read)
            : encodeBundle(ENTRIES.slice(tile.index * 256, tile.index * 256 + tile.width)),
        );
      const files = publicFiles(folder);
      for (const [path, bytes] of expected) expect(hex(files.get(path) ?? new Uint8Array(0)), path).toBe(hex(bytes));
      expect([...files.keys()].sort()).toEqual([...expected.keys()].sort());
    }
  });

  it('are all that a reader needs: the root follows from them', async () => {
    const folder = temporaryFolder();
    await (await logOf(folder, 20, SIZE)).close();
    const files = publicFiles(folder);
    expect(
      hex(
        rootOf(
          SIZE,
          nodesFromTiles(SIZE, (tile) => files.get(tilePath(tile))!),
        ),
      ),
    ).toBe(hex(rootAt(SIZE)));
  });

  it('keep partial tiles of earlier checkpoints until the full one is there', async () => {
    const folder = temporaryFolder();
    const log = await logOf(folder, 10, 20);
    expect(existsSync(join(folder, 'public/tile/0/000.p/10'))).toBe(true);
    await log.append(ENTRIES.slice(20, 260));
    await log.publish(noteAt(260));
    expect(existsSync(join(folder, 'public/tile/0/000.p'))).toBe(false);
    expect(existsSync(join(folder, 'public/tile/entries/000.p'))).toBe(false);
    await log.close();
    expect(await problemsOf(folder)).toEqual([]);
  });
});

describe('publishing', () => {
  it('takes a checkpoint of fewer entries than there are, and the same again with more signatures', async () => {
    const log = await TransparencyLog.open(temporaryFolder());
    await log.append(ENTRIES.slice(0, 300));
    await log.publish(noteAt(290));
    const signed = signCheckpoint({ origin: 'heartland/log', size: 290, root: rootAt(290) }, KEY);
    const witness = SigningKey.from(SecretBytes.of(new Uint8Array(32).fill(6)));
    const cosigned = formatNote(addSignature(signed, cosign(signed.text, 'heartland/silo/a', witness, 1)));
    await log.publish(cosigned);
    expect(log.latestCheckpoint()).toEqual(cosigned);
    await log.publish(noteAt(300));
    await log.close();
  });

  it('refuses a checkpoint that is not of this log, or goes back', async () => {
    const folder = temporaryFolder();
    const log = await logOf(folder, 10, 20);
    const before = publicFiles(folder);
    for (const bad of [
      noteAt(21),
      noteAt(20, rootAt(19)),
      noteAt(10),
      noteAt(0),
      noteAt(20, rootAt(20), 'elsewhere/log'),
    ])
      await expect(log.publish(bad)).rejects.toThrow(refusal('storage/log-mismatch'));
    await expect(log.publish(utf8('no note'))).rejects.toThrow(refusal('transcript/bad-note'));
    expect(publicFiles(folder)).toEqual(before);
    // A refusal is no end: the next one is taken.
    await log.append(ENTRIES.slice(20, 30));
    await log.publish(noteAt(30));
    expect(log.latestCheckpoint()).toEqual(noteAt(30));
    await log.close();
  });
});

/** Appends and publishes in steps of 135 entries, saying what was acknowledged. */
function writer(folder: string): string {
  const url = (source: string): string => JSON.stringify(builtUrl(source));
  return `import { TransparencyLog } from ${url('src/storage/index.ts')};
    import { SecretBytes, SigningKey } from ${url('src/crypto/index.ts')};
    import { formatNote, signCheckpoint } from ${url('src/transcript/index.ts')};
    const key = SigningKey.from(SecretBytes.of(new Uint8Array(32).fill(5)));
    const entry = (k) => new TextEncoder().encode('entry ' + k + '.'.repeat(k % 50));
    const log = await TransparencyLog.open(${JSON.stringify(folder)});
    while (log.size < 540) {
      await log.append(Array.from({ length: 135 }, (_, k) => entry(log.size + k)));
      console.log('size ' + log.size);
      await log.publish(formatNote(signCheckpoint({ origin: 'heartland/log', size: log.size, root: log.root() }, key)));
      console.log('published ' + log.size);
    }
    await log.close();
    console.log('end');`;
}

const last = (stdout: string, word: string): number =>
  Number(
    stdout
      .split('\n')
      .findLast((line) => line.startsWith(`${word} `))
      ?.split(' ')[1] ?? 0,
  );

describe('a log that is killed', () => {
  // The second publication, at 270 entries, is the first with full tiles: it writes five.
  const POINTS = [
    'storage.before-log-append@2',
    'storage.after-log-append@2',
    'storage.before-log-tile@1',
    'storage.before-log-tile@4',
    'storage.before-log-tile@6',
    'system.before-rename@3',
    'system.before-rename@6',
    'system.before-rename@9',
    'storage.before-log-publish@2',
    'storage.after-log-publish@2',
    'storage.before-log-prune@2',
    'storage.after-log-prune@4',
  ];
  it.each(POINTS)('at %s has all that it acknowledged, repairs itself and goes on', async (point) => {
    const folder = temporaryFolder();
    const end = await startScript(writer(folder), { VEILSUM_FAILPOINT: point }).ended;
    expect(end).toMatchObject({ signal: 'SIGKILL' });
    const log = await TransparencyLog.open(folder);
    expect(log.size).toBeGreaterThanOrEqual(last(end.stdout, 'size'));
    expect(log.size % 135).toBe(0);
    await expectSame(log, log.size);
    const note = log.latestCheckpoint();
    const published = note === undefined ? 0 : Number(new TextDecoder().decode(note).split('\n')[1]);
    expect(published).toBeGreaterThanOrEqual(last(end.stdout, 'published'));
    expect(note).toEqual(published === 0 ? undefined : noteAt(published));
    await log.close();
    expect(await problemsOf(folder)).toEqual([]);
    // It goes on where it was and comes to the same end as one that never stopped.
    const again = await logOf(folder, ...[135, 270, 405, 540].filter((size) => size >= published && size > 0));
    await expectSame(again, 540);
    expect(again.latestCheckpoint()).toEqual(noteAt(540));
    await again.close();
    expect(await problemsOf(folder)).toEqual([]);
  });

  it('is not killed at a point that it does not pass', async () => {
    const folder = temporaryFolder();
    expect(await startScript(writer(folder), { VEILSUM_FAILPOINT: 'storage.before-log-append@5' }).ended).toMatchObject(
      {
        code: 0,
        signal: null,
      },
    );
  });
});

describe('files that the disk lost or cut', () => {
  const DAMAGE: Record<string, [(folder: string) => void, RegExp]> = {
    'the checkpoint': [
      (at) => {
        rmSync(join(at, 'checkpoint'));
      },
      /^checkpoint: /,
    ],
    'half the checkpoint': [
      (at) => {
        truncateSync(join(at, 'checkpoint'), 20);
      },
      /^checkpoint: /,
    ],
    'a partial bundle': [
      (at) => {
        rmSync(join(at, 'tile/entries/001.p/44'));
      },
      /^tile\/entries\/001\.p\/44: missing/,
    ],
    'half a partial tile': [
      (at) => {
        truncateSync(join(at, 'tile/0/001.p/44'), 100);
      },
      /^tile\/0\/001\.p\/44: is not/,
    ],
    'a folder of partial tiles': [
      (at) => {
        rmSync(join(at, 'tile/1'), { recursive: true });
      },
      /^tile\/1\/000\.p\/1: missing/,
    ],
    'the end of a temporary file': [
      (at) => {
        writeFileSync(join(at, 'tile/0/.000.0123456789ab.tmp'), 'half');
      },
      /tmp: left half written/,
    ],
    'the end of another one': [
      (at) => {
        writeFileSync(join(at, 'tile/entries/001.p/.60.0123456789ab.tmp'), 'half');
      },
      /tmp: left half written/,
    ],
  };
  it.each(Object.entries(DAMAGE))(
    'as %s are named by fsck and made anew by opening',
    async (_what, [damage, named]) => {
      const folder = temporaryFolder();
      await (await logOf(folder, 300)).close();
      damage(join(folder, 'public'));
      const problems = await problemsOf(folder);
      expect(problems).toHaveLength(1);
      expect(problems[0]).toMatch(named);
      const log = await TransparencyLog.open(folder);
      await expectSame(log, 300);
      await log.close();
      expect(await problemsOf(folder)).toEqual([]);
    },
  );
});

describe('a log that somebody changed', () => {
  const flip = (path: string, at: number): void => {
    const bytes = readFileSync(path);
    bytes[at]! ^= 1;
    writeFileSync(path, bytes);
  };

  it('gives out no entry of another history', async () => {
    const folder = temporaryFolder();
    await (await logOf(folder, 300)).close();
    flip(join(folder, 'public/tile/entries/000'), 5);
    const log = await TransparencyLog.open(folder);
    await expect(log.entry(0)).rejects.toThrow(refusal('storage/damaged'));
    expect(await log.entry(1)).toEqual(ENTRIES[1]);
    // The length of the next entry: the bundle is none any more.
    flip(join(folder, 'public/tile/entries/000'), 10);
    await expect(log.entry(1)).rejects.toThrow(refusal('storage/damaged'));
    flip(join(folder, 'public/tile/entries/000'), 10);
    truncateSync(join(folder, 'public/tile/0/000'), 100);
    expect(() => log.inclusion(3)).toThrow(refusal('storage/damaged'));
    rmSync(join(folder, 'public/tile/0/000'));
    expect(() => log.inclusion(3)).toThrow(refusal('storage/damaged'));
    writeFileSync(join(folder, 'public/tile/0/000'), concat(...ENTRIES.slice(0, 256).map(leafHash)));
    await log.close();
    expect(await problemsOf(folder)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^root: /), expect.stringMatching(/^tile\/0\/000: is not/)]),
    );
  });

  it('is named by fsck wherever a full tile, an index or the root differs', async () => {
    const whole = temporaryFolder();
    await (await logOf(whole, 300, SIZE)).close();
    const changed = async (change: (folder: string) => unknown): Promise<string[]> => {
      const folder = join(temporaryFolder(), 'copy');
      cpSync(whole, folder, { recursive: true });
      await change(folder);
      return problemsOf(folder);
    };
    expect(await changed(() => undefined)).toEqual([]);
    expect(
      await changed((at) => {
        flip(join(at, 'public/tile/0/001'), 77);
      }),
    ).toEqual(['tile/0/001: is not that of its entries']);
    expect(
      await changed((at) => {
        rmSync(join(at, 'public/tile/0/000'));
      }),
    ).toEqual(['tile/0/000: missing']);
    expect(
      await changed((at) => {
        rmSync(join(at, 'public/tile/entries/000'));
      }),
    ).toEqual(['tile/entries/000: missing, and its entries are nowhere else']);
    expect(
      await changed((at) => {
        appendFileSync(join(at, 'public/tile/entries/001'), 'x');
      }),
    ).toEqual([expect.stringMatching(/^tile\/entries\/001: .*bytes follow/)]);
    const strangers = await changed((at) => {
      mkdirSync(join(at, 'public/tile/0/x001'), { recursive: true });
      writeFileSync(join(at, 'public/tile/0/x001/000'), '');
      writeFileSync(join(at, 'public/notes.txt'), '');
    });
    expect(strangers.sort()).toEqual(['notes.txt: is no tile of this log', 'tile/0/x001/000: is no tile of this log']);
    const store = async (at: string, place: Uint8Array, value: Uint8Array): Promise<void> => {
      const environment = await Environment.open(join(at, 'pending'));
      await environment.commit([{ kind: 'put', place, value }]);
      await environment.close();
    };
    const range = concat(Uint8Array.of(0), utf8('range'));
    const bad = TREE.ranges[SIZE]!.encode().map((byte, k) => (k === 100 ? byte ^ 1 : byte));
    expect(await changed((at) => store(at, range, bad))).toEqual([expect.stringMatching(/^root: /)]);
    const hash = Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 2, 0xb0);
    expect(await changed((at) => store(at, hash, new Uint8Array(32)))).toEqual([
      'hash 688 of tile level 0: is not that of its entries',
    ]);
    const published = concat(Uint8Array.of(0), utf8('published'));
    expect(await changed((at) => store(at, published, noteAt(SIZE, rootAt(5))))).toEqual([
      expect.stringMatching(/^checkpoint: the file is not/),
      expect.stringMatching(/^checkpoint: its root/),
    ]);
  });

  it('does not open with fewer entries than its checkpoint, nor as another format', async () => {
    const folder = temporaryFolder();
    await (await logOf(folder, 300)).close();
    const environment = await Environment.open(join(folder, 'pending'));
    const put = (name: string, value: Uint8Array): Promise<void> =>
      environment.commit([{ kind: 'put', place: concat(Uint8Array.of(0), utf8(name)), value }]);
    await put('range', TREE.ranges[200]!.encode());
    await environment.close();
    await expect(TransparencyLog.open(folder)).rejects.toThrow(refusal('storage/damaged'));
    const other = await Environment.open(join(folder, 'pending'));
    await other.commit([
      { kind: 'put', place: concat(Uint8Array.of(0), utf8('format')), value: utf8('veilsum-log/9') },
    ]);
    await other.close();
    await expect(TransparencyLog.open(folder)).rejects.toThrow(refusal('storage/unknown-format'));
    await expect(checkLog(folder)).rejects.toThrow(refusal('storage/unknown-format'));
  });
});

import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { Journal, readBackup, restoreBackup, writeBackup, type BackupOwner } from '../../../src/storage/index.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const OWNER: BackupOwner = { program: 'veilsum-agent', member: 'hospital-a', roster: 'ab'.repeat(32) };

interface Folders {
  readonly state: string;
  readonly backup: string;
}

async function backedUp(): Promise<Folders> {
  const folder = temporaryFolder();
  const state = join(folder, 'state');
  const journal = await Journal.open({ path: join(state, 'journal') });
  await journal.append('events', [Uint8Array.of(1), Uint8Array.of(2)]);
  await journal.close();
  mkdirSync(join(state, 'log', 'public'), { recursive: true });
  writeFileSync(join(state, 'log', 'public', 'x001'), 'tile');
  writeFileSync(join(state, 'empty'), '');
  for (const name of ['lock.7', '.half.0123456789ab.tmp']) writeFileSync(join(state, name), 'of this process');
  const backup = join(folder, 'backup');
  await writeBackup({ state, backup, owner: OWNER, atUnixMs: 1_700_000_000_000 });
  return { state, backup };
}

const refusal = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'accepted',
    (error: unknown) => (error as { code: string }).code,
  );

it('copies what is part of a state, and neither locks nor what a crash left', async () => {
  const { backup } = await backedUp();
  const found = await readBackup(backup);
  expect(found).toMatchObject({ ...OWNER, createdUnixMs: 1_700_000_000_000 });
  expect([...found.files.keys()]).toEqual(['empty', 'journal/data.mdb', 'log/public/x001']);
  expect(readFileSync(join(backup, 'SHA256SUMS'), 'utf8')).toMatch(/^(?:[0-9a-f]{64} {2}files\/\S+\n){3}$/);
});

it('gives back a state that reads as before, readable by its account alone', async () => {
  const { state, backup } = await backedUp();
  rmSync(state, { recursive: true });
  await restoreBackup({ state, backup, owner: OWNER });
  const journal = await Journal.open({ path: join(state, 'journal') });
  const records: number[] = [];
  for await (const { bytes } of journal.readAll('events')) records.push(bytes[0]!);
  await journal.close();
  expect(records).toEqual([1, 2]);
  expect(readFileSync(join(state, 'log', 'public', 'x001'), 'utf8')).toBe('tile');
  expect(statSync(join(state, 'log', 'public', 'x001')).mode & 0o077).toBe(0);
  expect(existsSync(`${state}.restoring`)).toBe(false);
});

it('never goes over a state that is there, and never into a folder that is used', async () => {
  const { state, backup } = await backedUp();
  expect(await refusal(restoreBackup({ state, backup, owner: OWNER }))).toBe('storage/not-empty');
  expect(await refusal(writeBackup({ state, backup, owner: OWNER, atUnixMs: 0 }))).toBe('storage/not-empty');
});

it('has nothing to copy where there is no state', async () => {
  const folder = temporaryFolder();
  const options = { state: join(folder, 'state'), backup: join(folder, 'backup'), owner: OWNER, atUnixMs: 0 };
  mkdirSync(options.state);
  expect(await refusal(writeBackup(options))).toBe('system/not-found');
  expect(existsSync(options.backup)).toBe(false);
});

it.each([
  ['program', { program: 'veilsum-coordinator' }],
  ['member', { member: 'hospital-b' }],
  ['roster', { roster: 'cd'.repeat(32) }],
] as const)('refuses the backup of another %s', async (_, other) => {
  const { state, backup } = await backedUp();
  rmSync(state, { recursive: true });
  expect(await refusal(restoreBackup({ state, backup, owner: { ...OWNER, ...other } }))).toBe('storage/backup-foreign');
  expect(existsSync(state)).toBe(false);
});

it.each<readonly [string, (backup: string) => void]>([
  [
    'a changed byte',
    (backup) => {
      writeFileSync(join(backup, 'files', 'log', 'public', 'x001'), 'Tile');
    },
  ],
  [
    'a file that is gone',
    (backup) => {
      rmSync(join(backup, 'files', 'empty'));
    },
  ],
  [
    'a sum more',
    (backup) => {
      appendFileSync(join(backup, 'SHA256SUMS'), `${'0'.repeat(64)}  files/more\n`);
    },
  ],
  [
    'a label of another version',
    (backup) => {
      writeFileSync(join(backup, 'VEILSUM-BACKUP'), 'veilsum-backup/2\n');
    },
  ],
  [
    'no label, since it was not finished',
    (backup) => {
      rmSync(join(backup, 'VEILSUM-BACKUP'));
    },
  ],
])('refuses a backup with %s, and leaves no state behind', async (_, damage) => {
  const { state, backup } = await backedUp();
  rmSync(state, { recursive: true });
  damage(backup);
  expect(await refusal(restoreBackup({ state, backup, owner: OWNER }))).toBe('storage/backup-damaged');
  expect(existsSync(state)).toBe(false);
  // And the next one starts from nothing.
  expect(readdirSync(join(backup, 'files')).length).toBeGreaterThan(0);
});

it('takes no path that leads out of the state', async () => {
  const { state, backup } = await backedUp();
  rmSync(state, { recursive: true });
  const sums = `${'0'.repeat(64)}  files/../../elsewhere\n`;
  writeFileSync(join(backup, 'SHA256SUMS'), sums);
  const label = join(backup, 'VEILSUM-BACKUP');
  const hash = createHash('sha256').update(sums).digest('hex');
  writeFileSync(label, readFileSync(label, 'utf8').replace(/sums .*/, `sums ${hash}`));
  expect(await refusal(readBackup(backup))).toBe('storage/backup-damaged');
});

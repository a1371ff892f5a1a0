// veilsum-coordinator backup and restore: a stopped coordinator's state, as it is, and put back where there is none.

import { rm } from 'node:fs/promises';
import type { Command } from 'commander';
import { hex } from '../../src/base/index.js';
import { readCoordinatorConfig, type CoordinatorConfig } from '../../src/config/index.js';
import { COORDINATOR } from '../../src/protocol/index.js';
import {
  describeDatabase,
  restoreBackup,
  writeBackup,
  type Backup,
  type BackupOwner,
  type SharedSettings,
} from '../../src/storage/index.js';
import { lockStateDirectory, systemClock } from '../../src/system/index.js';
import { copyStore, demandEmptyStore } from '../copy-store.js';
import { loadSelf } from '../start.js';
import { openEmbedded, RESTORING, sharedSettings, type Store } from '../store.js';
import { withSharedStore } from './held.js';

export function addBackup(program: Command): void {
  program
    .command('backup')
    .description('copy the state folder of a stopped coordinator; the storage key is not in the copy')
    .requiredOption('--config <file>', 'its configuration')
    .requiredOption('--out <folder>', 'where the copy goes: new or empty')
    .action(backup);
}

export function addRestore(program: Command): void {
  program
    .command('restore')
    .description('put a backup where the coordinator has no state')
    .requiredOption('--config <file>', 'its configuration')
    .requiredOption('--from <folder>', 'what backup wrote')
    .action(restore);
}

async function backup({ config: path, out }: { readonly config: string; readonly out: string }): Promise<void> {
  const config = await readCoordinatorConfig(path);
  const owner = await ownerOf(config);
  const settings = sharedSettings(config);
  if (settings !== undefined) {
    await backupShared(config, settings, out, owner);
    return;
  }
  const lock = await lockStateDirectory(config.state);
  try {
    const done = await writeBackup({ state: config.state, backup: out, owner, atUnixMs: systemClock.now() });
    tell(done, `copied to ${out}`);
    console.log(`Not in it, and needed with it: ${config.keys.storage}`);
  } finally {
    await lock.release();
  }
}

async function restore({ config: path, from }: { readonly config: string; readonly from: string }): Promise<void> {
  const config = await readCoordinatorConfig(path);
  const owner = await ownerOf(config);
  const settings = sharedSettings(config);
  if (settings === undefined) {
    const done = await restoreBackup({ state: config.state, backup: from, owner });
    tell(done, `restored to ${config.state}`);
  } else await restoreShared(config, settings, from, owner);
  console.log(`Next: veilsum-coordinator fsck --config ${path}, then run.`);
  console.log('Jobs that went on after that moment cannot: silos remember what this state has forgotten, and refuse.');
}

/** Of a database: first as files beside the backup, then as any other. So it can be restored to either. */
async function backupShared(
  config: CoordinatorConfig,
  settings: SharedSettings,
  out: string,
  owner: BackupOwner,
): Promise<void> {
  await asFiles(config, `${out}.copying`, async (state, files) => {
    await withSharedStore(config, settings, async (store) => {
      const copy = await files();
      await copyStore(store, copy);
      await copy.close();
    });
    const done = await writeBackup({ state, backup: out, owner, atUnixMs: systemClock.now() });
    tell(done, `copied from ${describeDatabase(settings.database)} to ${out}`);
  });
  console.log(`Not in it, and needed with it: ${config.keys.storage}`);
}

async function restoreShared(
  config: CoordinatorConfig,
  settings: SharedSettings,
  from: string,
  owner: BackupOwner,
): Promise<void> {
  await asFiles(config, `${config.state}.copying`, async (state, files) => {
    const done = await restoreBackup({ state, backup: from, owner });
    await withSharedStore(
      config,
      settings,
      async (store) => {
        await demandEmptyStore(store);
        const copy = await files();
        await store.journal.put(RESTORING, new Uint8Array(1));
        await copyStore(copy, store);
        await store.journal.delete(RESTORING);
        await copy.close();
      },
      'taken',
    );
    tell(done, `restored to ${describeDatabase(settings.database)}`);
  });
}

/** A folder for a store of files that is gone afterwards. */
async function asFiles(
  { keys }: CoordinatorConfig,
  state: string,
  work: (state: string, files: () => Promise<Store>) => Promise<void>,
): Promise<void> {
  await rm(state, { recursive: true, force: true });
  try {
    await work(state, () => openEmbedded({ state, keys }));
  } finally {
    await rm(state, { recursive: true, force: true });
  }
}

async function ownerOf(config: CoordinatorConfig): Promise<BackupOwner> {
  const { roster } = await loadSelf(config);
  return { program: 'veilsum-coordinator', member: COORDINATOR, roster: hex(roster.hash) };
}

function tell({ files, createdUnixMs }: Backup, what: string): void {
  console.log(
    `${String(files.size)} files ${what}; state of ${new Date(createdUnixMs).toISOString()}, every byte checked`,
  );
}

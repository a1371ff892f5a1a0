// veilsum-coordinator backup and restore: a stopped coordinator's state, as it is, and put back where there is none.

import type { Command } from 'commander';
import { hex } from '../../src/base/index.js';
import { readCoordinatorConfig, type CoordinatorConfig } from '../../src/config/index.js';
import { COORDINATOR } from '../../src/protocol/index.js';
import { restoreBackup, writeBackup, type Backup, type BackupOwner } from '../../src/storage/index.js';
import { lockStateDirectory, systemClock } from '../../src/system/index.js';
import { loadSelf } from '../start.js';

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
  const done = await restoreBackup({ state: config.state, backup: from, owner: await ownerOf(config) });
  tell(done, `restored to ${config.state}`);
  console.log(`Next: veilsum-coordinator fsck --config ${path}, then run.`);
  console.log('Jobs that went on after that moment cannot: silos remember what this state has forgotten, and refuse.');
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

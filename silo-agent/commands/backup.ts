// veilsum-agent backup and restore: a stopped agent's state, as it is, and put back where there is none.

import type { Command } from 'commander';
import { hex } from '../../src/base/index.js';
import { readAgentConfig, type AgentConfig } from '../../src/config/index.js';
import { restoreBackup, writeBackup, type Backup, type BackupOwner } from '../../src/storage/index.js';
import { lockStateDirectory, systemClock } from '../../src/system/index.js';
import { AGENT_ERRORS, AgentError } from '../errors.js';
import { loadSelf } from '../start.js';

export function addBackup(program: Command): void {
  program
    .command('backup')
    .description('copy the state folder of a stopped agent; the storage key is not in the copy')
    .requiredOption('--config <file>', 'its configuration')
    .requiredOption('--out <folder>', 'where the copy goes: new or empty')
    .action(backup);
}

export function addRestore(program: Command): void {
  program
    .command('restore')
    .description('put a backup where the agent has no state; only the newest one, made when it stopped, is safe')
    .requiredOption('--config <file>', 'its configuration')
    .requiredOption('--from <folder>', 'what backup wrote')
    .option('--newest', 'nothing was signed or sent after this backup: I know that (where the consortium keeps no log)')
    .action(restore);
}

async function backup({ config: path, out }: { readonly config: string; readonly out: string }): Promise<void> {
  const config = await readAgentConfig(path);
  const { owner } = await ownerOf(config);
  const lock = await lockStateDirectory(config.state);
  try {
    const done = await writeBackup({ state: config.state, backup: out, owner, atUnixMs: systemClock.now() });
    tell(done, `copied to ${out}`);
    console.log(`Not in it, and needed with it: ${config.keys.storage}`);
    console.log('Once the agent has run again, this copy is an older one: it is not to be put back.');
  } finally {
    await lock.release();
  }
}

interface RestoreOptions {
  readonly config: string;
  readonly from: string;
  readonly newest?: boolean;
}

async function restore({ config: path, from, newest }: RestoreOptions): Promise<void> {
  const config = await readAgentConfig(path);
  const { owner, logged } = await ownerOf(config);
  // Without a log nobody would notice that this agent has forgotten what it signed.
  if (!logged && newest !== true)
    throw new AgentError(
      'agent/restore-unwatched',
      'this consortium keeps no transparency log, and an older state would go unnoticed.',
      { remedy: AGENT_ERRORS['agent/restore-unwatched'] },
    );
  const done = await restoreBackup({ state: config.state, backup: from, owner });
  tell(done, `restored to ${config.state}`);
  console.log(`Next: veilsum-agent fsck --config ${path}, then run.`);
  if (logged)
    console.log('What the log shows of this silo after that moment, it will sit out (log/rolled-back in its log).');
}

async function ownerOf(config: AgentConfig): Promise<{ owner: BackupOwner; logged: boolean }> {
  const { roster, siloId } = await loadSelf(config);
  return {
    owner: { program: 'veilsum-agent', member: siloId, roster: hex(roster.hash) },
    logged: roster.logKey !== undefined,
  };
}

function tell({ files, createdUnixMs }: Backup, what: string): void {
  console.log(
    `${String(files.size)} files ${what}; state of ${new Date(createdUnixMs).toISOString()}, every byte checked`,
  );
}

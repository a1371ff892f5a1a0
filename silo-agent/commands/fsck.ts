// veilsum-agent fsck: what of a stopped agent's state is whole. Changes nothing but half-written files.

import { join } from 'node:path';
import type { Command } from 'commander';
import { readAgentConfig } from '../../src/config/index.js';
import { Hasher, LABELS } from '../../src/crypto/index.js';
import { initialSiloState, replaySilo } from '../../src/protocol/index.js';
import {
  BlobStore,
  checkBlobs,
  checkFold,
  checkJournalApart,
  checkSealed,
  describeChecks,
  openStorageKey,
  SealedStore,
  Sealer,
  unchecked,
  type CheckReport,
} from '../../src/storage/index.js';
import { EXIT, lockStateDirectory } from '../../src/system/index.js';
import { JOURNAL } from '../agent.js';
import { loadSelf } from '../start.js';

export function addFsck(program: Command): void {
  program
    .command('fsck')
    .description('check the state folder of a stopped agent: journal, stored inputs, objects, model states')
    .requiredOption('--config <file>', 'its configuration')
    .action(fsck);
}

async function fsck({ config: path }: { readonly config: string }): Promise<void> {
  const config = await readAgentConfig(path);
  const self = await loadSelf(config);
  const lock = await lockStateDirectory(config.state);
  try {
    const root = await openStorageKey(config.keys.storage);
    const sealer = Sealer.derive(root, 'agent-journal');
    const reports = new Map<string, CheckReport>();
    const journal = await checkJournalApart(join(config.state, 'journal'), sealer);
    reports.set('journal', journal);
    let state = initialSiloState(self);
    const fold = (): Promise<CheckReport> =>
      checkFold(join(config.state, 'journal'), sealer, JOURNAL, (bytes) => {
        const done = replaySilo(state, bytes);
        if (!done.ok) return done.error;
        state = done.value;
        return undefined;
      });
    reports.set('events', journal.problems.length > 0 ? unchecked() : await fold());
    reports.set(
      'inputs',
      await checkSealed(await SealedStore.open(join(config.state, 'inputs'), Sealer.derive(root, 'agent-inputs'))),
    );
    reports.set(
      'own state',
      await checkSealed(await SealedStore.open(join(config.state, 'own'), Sealer.derive(root, 'agent-own'))),
    );
    reports.set('objects', await checkBlobs(await BlobStore.open(join(config.state, 'blobs'))));
    reports.set(
      'models',
      await checkBlobs(await BlobStore.open(join(config.state, 'models'), () => new Hasher(LABELS.model))),
    );
    const { lines, whole } = describeChecks(reports);
    for (const line of lines) console.log(line);
    for (const job of state.jobs.values())
      console.log(
        `job ${job.manifest.jobId}: ${job.decision}, ${String(job.closedRound)} rounds acknowledged${job.open === undefined ? '' : `, round ${String(job.open.plan.round)} open`}`,
      );
    if (!whole) {
      console.log(
        'What to do: keep a copy of the folder and never put an older one in its place; then see "A damaged state folder" in docs/operations.md.',
      );
      process.exitCode = EXIT.storageDamaged;
    }
  } finally {
    await lock.release();
  }
}

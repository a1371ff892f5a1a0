// veilsum-coordinator fsck: what of a stopped coordinator's state is whole. Changes nothing but half-written files.

import { join } from 'node:path';
import type { Command } from 'commander';
import { readCoordinatorConfig } from '../../src/config/index.js';
import { Hasher, LABELS } from '../../src/crypto/index.js';
import { initialCoordinatorState, replayCoordinator } from '../../src/protocol/index.js';
import {
  BlobStore,
  checkBlobs,
  checkFold,
  checkJournalApart,
  describeChecks,
  openStorageKey,
  Sealer,
  unchecked,
  type CheckReport,
} from '../../src/storage/index.js';
import { EXIT, lockStateDirectory } from '../../src/system/index.js';
import { LogCheck } from '../log-check.js';
import { JOURNAL } from '../service.js';
import { loadSelf } from '../start.js';
import { openUploads } from '../store.js';
import { checkInputs } from '../stored-inputs.js';

export function addFsck(program: Command): void {
  program
    .command('fsck')
    .description(
      'check the state folder of a stopped coordinator: journal, log, confirmed uploads, objects, model states',
    )
    .requiredOption('--config <file>', 'its configuration')
    .action(fsck);
}

async function fsck({ config: path }: { readonly config: string }): Promise<void> {
  const config = await readCoordinatorConfig(path);
  const self = await loadSelf(config);
  const lock = await lockStateDirectory(config.state);
  try {
    const sealer = Sealer.derive(await openStorageKey(config.keys.storage), 'coordinator-journal');
    const reports = new Map<string, CheckReport>();
    const journal = await checkJournalApart(join(config.state, 'journal'), sealer);
    reports.set('journal', journal);
    let state = initialCoordinatorState(self);
    const log = await LogCheck.open(config.state, state);
    const fold = (): Promise<CheckReport> =>
      checkFold(join(config.state, 'journal'), sealer, JOURNAL, (bytes) => {
        const done = replayCoordinator(state, bytes, (first, entries) => {
          log?.take(first, entries);
        });
        if (!done.ok) return done.error;
        state = done.value;
        return undefined;
      });
    const events = journal.problems.length > 0 ? unchecked() : await fold();
    reports.set('events', events);
    if (log !== undefined) reports.set('log', log.report(events.problems.length === 0));
    const uploads = await openUploads(config.state);
    reports.set('uploads', await checkInputs(state, uploads));
    await uploads.close();
    reports.set('objects', await checkBlobs(await BlobStore.open(join(config.state, 'blobs'))));
    reports.set(
      'models',
      await checkBlobs(await BlobStore.open(join(config.state, 'models'), () => new Hasher(LABELS.model))),
    );
    const { lines, whole } = describeChecks(reports);
    for (const line of lines) console.log(line);
    for (const job of state.jobs.values())
      console.log(
        `job ${job.manifest.jobId}: ${job.status}, ${String(job.closed.length)} rounds closed${job.open === undefined ? '' : `, round ${String(job.open.plan.round)} open`}`,
      );
    if (!whole) {
      console.log('What to do: keep a copy of the folder, then see "A damaged state folder" in docs/operations.md.');
      process.exitCode = EXIT.storageDamaged;
    }
  } finally {
    await lock.release();
  }
}

// veilsum-coordinator fsck: what of a stopped coordinator's state is whole. Changes nothing but half-written files.

import { join } from 'node:path';
import type { Command } from 'commander';
import { readCoordinatorConfig, type CoordinatorConfig } from '../../src/config/index.js';
import { initialCoordinatorState, replayCoordinator, type CoordinatorState } from '../../src/protocol/index.js';
import {
  BlobStore,
  checkBlobs,
  checkFold,
  checkJournalApart,
  checkObjects,
  describeChecks,
  describeDatabase,
  foldRecords,
  openStorageKey,
  Sealer,
  unchecked,
  type CheckReport,
  type JournalReport,
} from '../../src/storage/index.js';
import { EXIT, lockStateDirectory } from '../../src/system/index.js';
import { LogCheck } from '../log-check.js';
import { JOURNAL } from '../service.js';
import { loadSelf } from '../start.js';
import { modelHasher, openUploads, sharedSettings } from '../store.js';
import { checkInputs } from '../stored-inputs.js';
import { withSharedStore } from './held.js';

export function addFsck(program: Command): void {
  program
    .command('fsck')
    .description(
      'check the state folder of a stopped coordinator: journal, log, confirmed uploads, objects, model states',
    )
    .requiredOption('--config <file>', 'its configuration')
    .action(fsck);
}

/** What is particular to a back end. */
interface Parts {
  readonly journal: () => Promise<JournalReport>;
  /** Folds the records; `step` says why one does not. */
  readonly fold: (step: (bytes: Uint8Array) => string | undefined) => Promise<CheckReport>;
  readonly uploads: (state: CoordinatorState) => Promise<CheckReport>;
  readonly objects: () => Promise<CheckReport>;
  readonly models: () => Promise<CheckReport>;
  /** What is to be kept before anybody mends it. */
  readonly what: string;
}

async function fsck({ config: path }: { readonly config: string }): Promise<void> {
  const config = await readCoordinatorConfig(path);
  const settings = sharedSettings(config);
  if (settings === undefined) {
    const lock = await lockStateDirectory(config.state);
    try {
      await check(config, await partsOfFiles(config));
    } finally {
      await lock.release();
    }
  } else
    await withSharedStore(config, settings, ({ shared: { journal }, uploads, blobs, models, log }) =>
      // The log is checked by its files.
      log.close().then(() =>
        check(config, {
          journal: () => journal.check(),
          fold: (step) => foldRecords(journal.readAll(JOURNAL), step),
          uploads: (state) => checkInputs(state, uploads),
          objects: () => checkObjects(blobs),
          models: () => checkObjects(models),
          what: describeDatabase(settings.database),
        }),
      ),
    );
}

async function partsOfFiles({ state: folder, keys }: CoordinatorConfig): Promise<Parts> {
  const sealer = Sealer.derive(await openStorageKey(keys.storage), 'coordinator-journal');
  return {
    journal: () => checkJournalApart(join(folder, 'journal'), sealer),
    fold: (step) => checkFold(join(folder, 'journal'), sealer, JOURNAL, step),
    uploads: async (state) => {
      const uploads = await openUploads(folder);
      try {
        return await checkInputs(state, uploads);
      } finally {
        await uploads.close();
      }
    },
    objects: async () => checkBlobs(await BlobStore.open(join(folder, 'blobs'))),
    models: async () => checkBlobs(await BlobStore.open(join(folder, 'models'), modelHasher)),
    what: 'the folder',
  };
}

async function check(config: CoordinatorConfig, parts: Parts): Promise<void> {
  const self = await loadSelf(config);
  const reports = new Map<string, CheckReport>();
  const journal = await parts.journal();
  reports.set('journal', journal);
  let state = initialCoordinatorState(self);
  const log = await LogCheck.open(config.state, state);
  const fold = (): Promise<CheckReport> =>
    parts.fold((bytes) => {
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
  reports.set('uploads', await parts.uploads(state));
  reports.set('objects', await parts.objects());
  reports.set('models', await parts.models());
  const { lines, whole } = describeChecks(reports);
  for (const line of lines) console.log(line);
  for (const job of state.jobs.values())
    console.log(
      `job ${job.manifest.jobId}: ${job.status}, ${String(job.closed.length)} rounds closed${job.open === undefined ? '' : `, round ${String(job.open.plan.round)} open`}`,
    );
  if (whole) return;
  console.log(`What to do: keep a copy of ${parts.what}, then see "A damaged state folder" in docs/operations.md.`);
  process.exitCode = EXIT.storageDamaged;
}

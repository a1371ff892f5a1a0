// What operators and auditors do, as the transparency log tells it: before it takes effect, or before its first byte leaves.

import { describe, expect, it } from 'vitest';
import { adminHandlers } from '../../../coordinator/admin/index.js';
import { decodeEntry, type LogEntry } from '../../../src/transcript/index.js';
import { ActionStatement, Artefact, decode } from '../../../src/wire/index.js';
import { MemorySource } from '../../support/admin-source.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { signOrder } from '../../support/memory/orders.js';
import { gathered } from '../../support/transport.js';
import { ADA, OLGA } from './states.js';

const PAGE = { pageSize: 0, pageToken: '' };
const HOUR_MS = 3_600_000;

function world() {
  const consortium = new MemoryConsortium(4, { log: true });
  consortium.run(2);
  const source = new MemorySource(consortium);
  const first = consortium.log.length;
  /** Kind, subject, job and action of what was added. */
  const noted = (): string[] =>
    consortium.log
      .slice(first)
      .map((bytes) => decodeEntry(bytes))
      .map((entry) => [entry.kind, entry.subject, entry.job, actionOf(entry)].join(' '));
  return { consortium, source, handlers: adminHandlers(source), noted };
}

function actionOf({ body }: LogEntry): string {
  return body.form === 'statement' ? decode(ActionStatement, 'statement', body.bytes).action : body.form;
}

describe('the log', () => {
  it('holds who was given a model, each time, and before its first byte', async () => {
    const { handlers, noted } = world();
    const model = handlers.exportModel(ADA, { jobId: 'job-1', state: false })[Symbol.asyncIterator]();
    expect(noted()).toEqual([]);
    await model.next();
    expect(noted()).toEqual(['export auditor/ada job-1 export-model']);
    await gathered(handlers.exportModel(OLGA, { jobId: 'job-1', state: false }));
    expect(noted()[1]).toBe('export operator/olga job-1 export-model');
  });

  it('holds each export of a sum or stored object, with the round and what it was, each time', async () => {
    const { consortium, handlers, noted } = world();
    await gathered(handlers.exportSum(ADA, { jobId: 'job-1', round: 1 }));
    await gathered(handlers.exportSum(ADA, { jobId: 'job-1', round: 1 }));
    const asked = { jobId: 'job-1', round: 2, artefact: Artefact.ARTEFACT_TRANSCRIPT, index: 0 };
    await gathered(handlers.exportArtefact(ADA, asked));
    expect(noted()).toEqual([
      'export auditor/ada job-1 export-opened-sum',
      'export auditor/ada job-1 export-opened-sum',
      'export auditor/ada job-1 export-transcript',
    ]);
    expect(consortium.log.slice(-3).map((bytes) => decodeEntry(bytes).round)).toEqual([1, 1, 2]);
  });

  it('holds nothing of an export that is refused', () => {
    const { handlers, noted } = world();
    const missing = { jobId: 'job-1', round: 1, artefact: Artefact.ARTEFACT_MISSING_INPUT, index: 3 };
    expect(() => handlers.exportArtefact(ADA, missing)).toThrow(expect.objectContaining({ code: 'admin/no-artefact' }));
    expect(noted()).toEqual([]);
  });

  it('holds what an auditor reads once in an hour, and nothing of what is refused or public', async () => {
    const { consortium, handlers, noted } = world();
    await handlers.listEntries(ADA, { ...PAGE, first: 0n });
    await handlers.getServerInfo(ADA, { afterEpoch: 0n });
    await handlers.getJob(OLGA, { jobId: 'job-1' });
    await expect(handlers.getJob(ADA, { jobId: 'job-9' })).rejects.toMatchObject({ code: 'admin/no-job' });
    expect(noted()).toEqual([]);
    await handlers.getJob(ADA, { jobId: 'job-1' });
    await handlers.getRound(ADA, { jobId: 'job-1', round: 1, fields: [] });
    await handlers.listJobs(ADA, { ...PAGE, states: [], fields: [] });
    expect(noted()).toEqual(['auditor-read auditor/ada job-1 read', 'auditor-read auditor/ada  read']);
    consortium.time += HOUR_MS;
    const left = new AbortController();
    for await (const _ of handlers.watchRounds(ADA, { jobId: 'job-1' }, left.signal)) left.abort();
    expect(noted()).toHaveLength(3);
  });

  it('holds what an operator stores and orders', async () => {
    const { consortium, handlers, noted } = world();
    const chunks = (async function* () {
      yield await Promise.resolve(Uint8Array.of(1, 2, 3));
    })();
    await handlers.putBlob(OLGA, chunks);
    const order = signOrder(consortium.founded, { $case: 'denySilo', value: { siloId: 'silo-000' } });
    await handlers.giveOrder(OLGA, { order });
    expect(noted()).toEqual(['operator-action operator/olga  put-blob', 'operator-action operator/olga  deny-silo']);
  });

  it('is the same when the journal is folded, and gets a checkpoint when nothing else happens', async () => {
    const { consortium, handlers } = world();
    await gathered(handlers.exportModel(ADA, { jobId: 'job-1', state: false }));
    const { range } = consortium.coordinator.log!;
    consortium.restartCoordinator();
    expect(consortium.coordinator.log!.range.root()).toEqual(range.root());
    consortium.run();
    const { checkpoints } = consortium.coordinator.log!;
    expect(checkpoints.findLast(({ quorumBy }) => quorumBy !== undefined)?.size).toBe(consortium.log.length);
  });
});

describe('where no log is kept', () => {
  it('the journal of acts is all there is', async () => {
    const consortium = new MemoryConsortium(4);
    consortium.run(1);
    const source = new MemorySource(consortium);
    await gathered(adminHandlers(source).exportModel(ADA, { jobId: 'job-1', state: false }));
    expect(source.records).toHaveLength(1);
  });
});

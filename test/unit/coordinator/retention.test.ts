// What a coordinator keeps of closed rounds and for how long, with real stores on disk: decided and told to the log first, then deleted.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { adminHandlers } from '../../../coordinator/admin/index.js';
import { Eraser } from '../../../coordinator/retention.js';
import { openUploads, uploadName } from '../../../coordinator/store.js';
import { hex, unixMs } from '../../../src/base/index.js';
import type { CoordinatorRetention } from '../../../src/config/index.js';
import { Hasher, LABELS } from '../../../src/crypto/index.js';
import { BlobStore } from '../../../src/storage/index.js';
import { decodeEntry } from '../../../src/transcript/index.js';
import { ActionStatement, Artefact, decode } from '../../../src/wire/index.js';
import { MemorySource } from '../../support/admin-source.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { gathered } from '../../support/transport.js';
import { ADA, OLGA } from '../admin/states.js';

const root = mkdtempSync(join(tmpdir(), 'veilsum-retention-'));
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const DAY_MS = 86_400_000;
const both: ('operator' | 'auditor')[] = ['operator', 'auditor'];
const ALWAYS: CoordinatorRetention = {
  missingInputs: { days: 'always', readers: both },
  vectors: { days: 'always', readers: both },
  models: { days: 'always', readers: both },
};

/** Three rounds, the first without the fingerprint of silo 1; everything that a coordinator would have on disk is there. */
async function world(name: string, changes: Partial<CoordinatorRetention> = {}) {
  const consortium = new MemoryConsortium(4, { log: true, manifest: { roundLimit: 3 } });
  consortium.hooks.arrive = (silo, { type }) =>
    !(consortium.job.open?.plan.round === 1 && silo.id === 'silo-001' && type === 'consistency');
  consortium.run();
  expect(consortium.job.closed).toHaveLength(3);
  const source = new MemorySource(consortium);
  for (const round of consortium.job.closed) source.missingInputs(round);
  const blobs = await BlobStore.open(join(root, name, 'blobs'));
  for (const [key, bytes] of consortium.blobs) if (/^[0-9a-f]{64}$/.test(key)) await blobs.put(key, bytes);
  const models = await BlobStore.open(join(root, name, 'models'), () => new Hasher(LABELS.model));
  const uploads = await openUploads(join(root, name));
  for (const { plan } of consortium.job.closed)
    for (const index of plan.cohort.keys()) await uploads.upload(uploadName(plan.rid, 1, index));
  const store = { blobs, models, uploads };
  const eraser = () =>
    new Eraser({
      store,
      retention: { ...ALWAYS, ...changes },
      clock: { now: () => unixMs(consortium.time), monotonicNow: () => consortium.time } as never,
      state: () => consortium.coordinator,
      missingInputs: source.missingInputs,
      note: source.note,
    });
  const size = consortium.log.length;
  /** Round and action of every erasure in the log. */
  const told = (): string[] =>
    consortium.log.slice(size).map((bytes) => {
      const { kind, subject, round, body } = decodeEntry(bytes);
      expect([kind, subject]).toEqual(['erasure', 'coordinator']);
      return `${round} ${decode(ActionStatement, 'statement', body.bytes).action}`;
    });
  const wants = (round: number, what: 'sum' | 'opened' | 'transcript') =>
    blobs.has(hex(consortium.job.closed[round - 1]!.result![what].sha256));
  return { consortium, source, store, eraser, told, wants };
}

describe('a sweep', () => {
  it('erases the masked inputs of closed rounds, each round once, and nothing else', async () => {
    const { store, eraser, told } = await world('uploads');
    const before = await store.blobs.list();
    expect(store.uploads.names()).toHaveLength(12);
    const one = eraser();
    expect(await one.sweep()).toBe(12);
    expect(store.uploads.names()).toEqual([]);
    expect(told()).toEqual([1, 2, 3].map((round) => `${round} erase-uploads`));
    expect([await one.sweep(), await eraser().sweep()]).toEqual([0, 0]);
    expect(told()).toHaveLength(3);
    expect(await store.blobs.list()).toEqual(before);
  });

  it('keeps those of a result that too few have acknowledged', async () => {
    const { consortium, store, eraser, told } = await world('unacknowledged');
    const [first] = consortium.job.closed;
    const job = { ...consortium.job, closed: consortium.job.closed.with(0, { ...first!, acks: new Map() }) };
    consortium.coordinator = { ...consortium.coordinator, jobs: new Map([[job.manifest.jobId, job]]) };
    await eraser().sweep();
    expect(told()).toEqual(['2 erase-uploads', '3 erase-uploads']);
    expect(store.uploads.names()).toHaveLength(4);
  });

  it('erases served inputs after their days, and says which', async () => {
    const { consortium, source, store, eraser, told } = await world('inputs', {
      missingInputs: { days: 30, readers: both },
    });
    const [first] = consortium.job.closed;
    const [input] = source.missingInputs(first!);
    consortium.time = first!.endedAt + 30 * DAY_MS - 1;
    await eraser().sweep();
    expect(await store.blobs.has(hex(input!.sha256))).toBe(true);
    consortium.time++;
    await eraser().sweep();
    expect(await store.blobs.has(hex(input!.sha256))).toBe(false);
    expect(told().at(-1)).toBe('1 erase-missing-inputs');
    const { body } = decodeEntry(consortium.log.at(-1)!);
    expect(decode(ActionStatement, 'statement', body.bytes).objects).toEqual([input!.sha256]);
  });

  it('erases vectors after theirs, but not what equals something that is still needed', async () => {
    const { consortium, eraser, wants } = await world('vectors', { vectors: { days: 1, readers: both } });
    const { job } = consortium;
    const [, second, third] = job.closed;
    // As if the opened sum of the third round, which ended later, were that of the second.
    const shared = {
      ...third!,
      endedAt: unixMs(third!.endedAt + DAY_MS),
      result: { ...third!.result!, opened: second!.result!.opened },
    };
    const jobs = new Map([[job.manifest.jobId, { ...job, closed: job.closed.with(2, shared) }]]);
    consortium.coordinator = { ...consortium.coordinator, jobs };
    consortium.time = second!.endedAt + DAY_MS;
    await eraser().sweep();
    expect([await wants(2, 'sum'), await wants(2, 'opened'), await wants(3, 'sum')]).toEqual([false, true, true]);
    consortium.time += 2 * DAY_MS;
    await eraser().sweep();
    expect([await wants(2, 'opened'), await wants(3, 'sum')]).toEqual([false, false]);
  });

  it('that was killed after it told the log is finished by the next run, and told once', async () => {
    const { consortium, store, eraser, told, wants } = await world('killed', { vectors: { days: 0, readers: both } });
    const remove = store.blobs.delete.bind(store.blobs);
    store.blobs.delete = () => Promise.reject(new Error('the power is gone'));
    await expect(eraser().sweep()).rejects.toThrow('the power is gone');
    expect(told().at(-1)).toBe('1 erase-vectors');
    expect(await wants(1, 'sum')).toBe(true);
    // Only the journal survives: the state is folded from it again.
    consortium.restartCoordinator();
    store.blobs.delete = remove;
    await eraser().sweep();
    expect([await wants(1, 'sum'), await wants(2, 'sum'), await wants(3, 'sum')]).toEqual([false, false, false]);
    const once = told();
    expect(new Set(once).size).toBe(once.length);
    expect(once.filter((word) => word.endsWith('erase-vectors'))).toHaveLength(3);
  });
});

describe('the admin API', () => {
  it('names and gives nothing that is erased, and says so', async () => {
    const { consortium, source, eraser } = await world('api', { vectors: { days: 0, readers: both } });
    const handlers = adminHandlers(source);
    const asked = { jobId: 'job-1', round: 2, artefact: Artefact.ARTEFACT_MASKED_SUM, index: 0 };
    await gathered(handlers.exportArtefact(ADA, asked));
    consortium.time += DAY_MS;
    await eraser().sweep();
    const { artefacts } = await handlers.getRound(ADA, { jobId: 'job-1', round: 2, fields: [] });
    expect(artefacts.map(({ artefact }) => artefact)).toEqual([
      Artefact.ARTEFACT_RESULT,
      Artefact.ARTEFACT_MODEL_STATE,
    ]);
    const erased = expect.objectContaining({ code: 'admin/erased', category: 'missing' }) as Error;
    expect(() => handlers.exportArtefact(ADA, asked)).toThrow(erased);
    expect(() => handlers.exportSum(ADA, { jobId: 'job-1', round: 2 })).toThrow(erased);
  });

  it('gives each class to its readers only', async () => {
    const { source } = await world('readers');
    source.mayRead = (role, what) => role === 'auditor' || what === 'models';
    const handlers = adminHandlers(source);
    const refused = expect.objectContaining({ code: 'admin/not-reader', category: 'membership' }) as Error;
    expect(() => handlers.exportSum(OLGA, { jobId: 'job-1', round: 1 })).toThrow(refused);
    await gathered(handlers.exportSum(ADA, { jobId: 'job-1', round: 1 }));
    await gathered(handlers.exportModel(OLGA, { jobId: 'job-1', state: false }));
  });
});

// Before a job is offered to anybody: what can be wrong with it is found here, not after a night of training.

import { createHash } from 'node:crypto';
import { equalBytes, hex, LIMITS, type Hash, type UnixMs } from '../src/base/index.js';
import type { CoordinatorRetention } from '../src/config/index.js';
import { hash, LABELS } from '../src/crypto/index.js';
import { checkLayout, decodeModelState, NO_MODEL_STATE } from '../src/job/index.js';
import { withParameters } from '../src/model/index.js';
import { openManifest, openOrder, type CoordinatorJob, type Manifest } from '../src/protocol/index.js';
import { JobKind, type BlobRef, type Envelope } from '../src/wire/index.js';
import { actJournal } from './acts.js';
import type { AdminSource, ServerFacts } from './admin/index.js';
import { CoordinatorError } from './errors.js';
import type { CoordinatorService } from './service.js';

export interface AdminWorld {
  readonly server: ServerFacts;
  readonly retention: CoordinatorRetention;
  readonly now: () => UnixMs;
}

/** What the admin handlers need, from the running service. */
export function adminSource(service: CoordinatorService, { server, retention, now }: AdminWorld): AdminSource {
  return {
    server,
    now,
    mayRead: (role, what) => retention[what].readers.includes(role),
    acts: actJournal(service.store.journal, (record) => service.keepAct(record)),
    note: (act) => service.note(act),
    log: service.store.log,
    missingInputs: service.missingInputs,
    seen: (silo) => {
      const seen = service.seen.of(silo);
      return seen !== undefined && service.presence.connected(silo) ? { ...seen, at: now() } : seen;
    },
    giveOrder: async (envelope) => {
      openOrder(service.self.roster, envelope);
      await service.feed({ $case: 'orderGiven', value: { order: envelope } });
    },
    readModelState: (job, modelHash) => readModelState(service, job, modelHash),
    state: () => service.state,
    onChange: (listener) => service.onChange(listener),
    connected: (silo) => service.presence.connected(silo),
    createJob: (manifest) => createJob(service, manifest),
    putBlob: (chunks) => putBlob(service, chunks),
    readBlob: (blob) => readStored(service, blob),
    exportModel: (job) => exportModel(service, job),
    exportState: (job) => exportState(service, job),
  };
}

async function createJob(service: CoordinatorService, envelope: Envelope): Promise<void> {
  const { roster } = service.self;
  const manifest = openManifest(roster, envelope);
  await demandSound(service, manifest);
  await service.feed({ $case: 'jobCreated', value: { manifest: envelope } });
}

/** The same checks that every silo makes: the layout follows from the job, and the first model is the one named. */
async function demandSound(service: CoordinatorService, manifest: Manifest): Promise<void> {
  const { message } = manifest;
  const learns = message.kind !== JobKind.JOB_KIND_STATISTICS;
  if (
    learns &&
    (message.forwardModel === undefined || !(await service.store.blobs.has(hex(message.forwardModel.sha256))))
  )
    throw new CoordinatorError('coordinator/no-model', `the model of job "${manifest.jobId}" has not been uploaded.`, {
      category: 'state',
    });
  const first = learns ? await service.computation.firstModel(service.state, manifest) : undefined;
  const differences = checkLayout(message, first?.model);
  if (differences.length > 0) {
    const list = differences.map((one) => `${one.segment}: ${one.difference}`).join('; ');
    throw new CoordinatorError('coordinator/bad-layout', `the layout is not the one of this job: ${list}.`, {
      category: 'content',
    });
  }
  const computed = hash(LABELS.model, first?.state ?? NO_MODEL_STATE);
  if (!equalBytes(computed, manifest.initialModelHash))
    throw new CoordinatorError(
      'coordinator/first-model',
      `the first model has the hash ${hex(computed)}, the manifest says ${hex(manifest.initialModelHash)}.`,
      { category: 'content' },
    );
}

/** Stores an object whose hash is known only at its end. */
async function putBlob(service: CoordinatorService, chunks: AsyncIterable<Uint8Array>): Promise<BlobRef> {
  const pieces: Uint8Array[] = [];
  const digest = createHash('sha256');
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > LIMITS.modelBytes)
      throw new CoordinatorError(
        'coordinator/upload-too-long',
        `an object may have ${String(LIMITS.modelBytes)} bytes.`,
        { category: 'limit' },
      );
    // Chunks are views that the transport reuses.
    pieces.push(chunk.slice());
    digest.update(chunk);
  }
  const sha256 = new Uint8Array(digest.digest());
  await service.store.blobs.put(hex(sha256), Buffer.concat(pieces));
  return { sha256, size: BigInt(size) };
}

async function* readStored(service: CoordinatorService, blob: BlobRef): AsyncGenerator<Uint8Array> {
  const name = hex(blob.sha256);
  if (!(await service.store.blobs.has(name)))
    throw new CoordinatorError('coordinator/no-blob', `there is no object ${name}.`, { category: 'missing' });
  yield* service.store.blobs.readChunks(name, LIMITS.chunkBytes);
}

async function* exportModel(service: CoordinatorService, job: CoordinatorJob): AsyncGenerator<Uint8Array> {
  if (job.manifest.message.kind === JobKind.JOB_KIND_STATISTICS)
    throw new CoordinatorError(
      'coordinator/no-model',
      `job "${job.manifest.jobId}" computes statistics and has no model.`,
      { category: 'missing' },
    );
  const first = await service.computation.firstModel(service.state, job.manifest);
  const state = await service.computation.modelState(service.state, job.manifest, job.modelHash);
  const bytes = withParameters(first.model, decodeModelState(state).parameters);
  yield* inChunks(bytes);
}

async function* exportState(service: CoordinatorService, job: CoordinatorJob): AsyncGenerator<Uint8Array> {
  yield* inChunks(await service.computation.modelState(service.state, job.manifest, job.modelHash));
}

function* inChunks(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += LIMITS.chunkBytes) yield bytes.subarray(at, at + LIMITS.chunkBytes);
}

async function* readModelState(
  service: CoordinatorService,
  job: CoordinatorJob,
  modelHash: Hash,
): AsyncGenerator<Uint8Array> {
  const bytes = await service.computation.modelState(service.state, job.manifest, modelHash);
  for (let at = 0; at < bytes.length; at += LIMITS.chunkBytes) yield bytes.subarray(at, at + LIMITS.chunkBytes);
}

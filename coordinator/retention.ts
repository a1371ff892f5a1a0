// What is kept of closed rounds, and for how long (`retention` of the configuration). An erasure is decided in the journal and told to the
// transparency log before anything is deleted; after a crash in between, the next sweep deletes what was said to be erased.

import { hex, type Clock, type JobId, type UnixMs } from '../src/base/index.js';
import type { CoordinatorRetention } from '../src/config/index.js';
import type { ClosedRound, CoordinatorJob, CoordinatorState } from '../src/protocol/index.js';
import { failpoint } from '../src/system/index.js';
import { JobKind, type BlobRef } from '../src/wire/index.js';
import { ERASED_BY, type NotedAct } from './admin/index.js';
import { uploadPrefix, type Store } from './store.js';

/** As the log calls them (docs/audit.md). */
export const ERASURES = {
  /** The masked inputs of a round, as they were uploaded. */
  uploads: 'erase-uploads',
  /** Masked inputs that were served because a fingerprint had not come. */
  missingInputs: ERASED_BY.missingInputs,
  /** Y, X and transcript. */
  vectors: ERASED_BY.vectors,
  /** The model after the round. */
  model: ERASED_BY.models,
} as const;

export interface Erasure {
  readonly jobId: JobId;
  readonly round: number;
  readonly action: string;
  /** What the log calls the objects: a round's id for its uploads, otherwise their SHA-256 or model hash. */
  readonly objects: readonly Uint8Array[];
  readonly blobs: readonly string[];
  readonly models: readonly string[];
  readonly uploads: readonly string[];
  /** The log knows of it already. */
  readonly told: boolean;
}

export interface Kept {
  /** Names of uploads on disk. */
  readonly uploads: readonly string[];
  /** Inputs without a fingerprint that were kept of a round. */
  readonly missingInputs: (round: ClosedRound) => readonly BlobRef[];
  /** Rounds that ended since then are told of, even if nothing of theirs is left: inputs of failed attempts go at once. */
  readonly since: number;
}

const DAY_MS = 86_400_000;

/** What is to be erased now, told to the log or not. A function of its arguments alone. */
export function erasuresDue(
  state: CoordinatorState,
  now: UnixMs,
  retention: CoordinatorRetention,
  kept: Kept,
  isDone: (one: Erasure) => boolean = () => false,
): Erasure[] {
  const all: Erasure[] = [];
  for (const job of state.jobs.values())
    for (const round of job.closed) all.push(...erasuresOf(job, round, now, retention, kept));
  const due = all.filter((one) => !isDone(one));
  if (due.length === 0) return [];
  const used = stillUsed(state, all, kept);
  return due.map((one) => ({
    ...one,
    blobs: one.blobs.filter((name) => !used.has(name)),
    models: one.models.filter((name) => !used.has(name)),
  }));
}

function* erasuresOf(
  job: CoordinatorJob,
  round: ClosedRound,
  now: UnixMs,
  { missingInputs, vectors, models }: CoordinatorRetention,
  kept: Kept,
): Generator<Erasure> {
  const { plan, result, erased } = round;
  const isOver = ({ days }: { readonly days: number | 'always' }): boolean =>
    days !== 'always' && now >= round.endedAt + days * DAY_MS;
  const erasure = (action: string, objects: readonly Uint8Array[], change: Partial<Erasure>): Erasure => ({
    jobId: job.manifest.jobId,
    round: plan.round,
    action,
    objects,
    blobs: [],
    models: [],
    uploads: [],
    told: erased?.has(action) === true,
    ...change,
  });
  // Of a round with a result they are served until a threshold of its cohort has acknowledged.
  if (result === undefined || round.acks.size >= plan.t) {
    const uploads = kept.uploads.filter((name) => name.startsWith(uploadPrefix(plan.rid)));
    const recent = round.endedAt >= kept.since && erased?.has(ERASURES.uploads) !== true;
    if (uploads.length > 0 || recent) yield erasure(ERASURES.uploads, [plan.rid], { uploads });
  }
  if (result === undefined) return;
  const missing = kept.missingInputs(round);
  if (missing.length > 0 && round.acks.size >= plan.t && isOver(missingInputs))
    yield erasure(ERASURES.missingInputs, hashesOf(missing), { blobs: namesOf(missing) });
  const isStatistics = job.manifest.message.kind === JobKind.JOB_KIND_STATISTICS;
  const blobs = [result.sum, result.opened, result.transcript];
  // The sum of a statistics job is what it was made for, and what later jobs standardise by.
  if (!isStatistics && round.acks.size >= plan.t && isOver(vectors))
    yield erasure(ERASURES.vectors, hashesOf(blobs), { blobs: namesOf(blobs) });
  if (!isStatistics && plan.round < job.closed.length && isOver(models))
    yield erasure(ERASURES.model, [result.newModelHash], { models: [hex(result.newModelHash)] });
}

/** Equal bytes are one object: what another round, a job or an open attempt still needs stays. */
function stillUsed(state: CoordinatorState, due: readonly Erasure[], { missingInputs }: Kept): Set<string> {
  const going = new Set(due.map(keyOf));
  const used = new Set<string>();
  const use = (blobs: readonly (BlobRef | undefined)[]): void => {
    for (const blob of blobs) if (blob !== undefined) used.add(hex(blob.sha256));
  };
  for (const { manifest, closed, modelHash, open } of state.jobs.values()) {
    use([manifest.message.forwardModel, open?.attempt.sum, open?.attempt.headerBundle]);
    used.add(hex(modelHash)).add(hex(manifest.initialModelHash));
    for (const round of closed) {
      const { result, plan } = round;
      if (result === undefined) continue;
      const stays = (action: string): boolean =>
        !going.has(keyOf({ jobId: manifest.jobId, round: plan.round, action }));
      if (stays(ERASURES.vectors)) use([result.sum, result.opened, result.transcript]);
      if (stays(ERASURES.missingInputs)) use(missingInputs(round));
      if (stays(ERASURES.model)) used.add(hex(result.newModelHash));
    }
  }
  return used;
}

function hashesOf(blobs: readonly BlobRef[]): Uint8Array[] {
  return blobs.map(({ sha256 }) => sha256);
}

function namesOf(blobs: readonly BlobRef[]): string[] {
  return blobs.map(({ sha256 }) => hex(sha256));
}

export interface EraserOptions {
  readonly store: Pick<Store, 'blobs' | 'models' | 'uploads'>;
  readonly retention: CoordinatorRetention;
  readonly clock: Clock;
  readonly state: () => CoordinatorState;
  readonly missingInputs: Kept['missingInputs'];
  /** Resolves when the journal and the log hold it. */
  readonly note: (act: NotedAct) => Promise<void>;
}

/** Between sweeps. */
const SWEEP_MS = 5_000;
/** Rounds that ended longer before the start, and have nothing left, were swept by an earlier run of the program. */
const LOOK_BACK_MS = DAY_MS;

export class Eraser {
  readonly #options: EraserOptions;
  readonly #since: number;
  /** What this run has seen gone: nobody looks for it every few seconds. */
  readonly #done = new Set<string>();

  constructor(options: EraserOptions) {
    this.#options = options;
    this.#since = options.clock.now() - LOOK_BACK_MS;
  }

  /** Sweeps every few seconds while this coordinator leads. Returns the way to stop, with a last sweep: a stopped program keeps nothing due. */
  run(leads: () => boolean, onError: (error: unknown) => void): () => Promise<void> {
    let sweeping = Promise.resolve();
    let stopped = false;
    const next = (): Promise<void> => {
      sweeping = sweeping
        .then(async () => {
          if (!stopped && leads()) await this.sweep();
        })
        .catch(onError);
      return sweeping;
    };
    const timer = setInterval(() => void next(), SWEEP_MS);
    return async () => {
      clearInterval(timer);
      await next();
      stopped = true;
    };
  }

  /** Erases what is due. Returns how many objects and uploads went. */
  async sweep(): Promise<number> {
    const { store, retention, state, clock, missingInputs, note } = this.#options;
    const kept: Kept = { uploads: await store.uploads.names(), missingInputs, since: this.#since };
    const isDone = (one: Erasure): boolean => one.uploads.length === 0 && this.#done.has(keyOf(one));
    let gone = 0;
    for (const one of erasuresDue(state(), clock.now(), retention, kept, isDone)) {
      const { jobId, round, action, objects, told } = one;
      if (!told) await note({ entry: 'erasure', subject: 'coordinator', jobId, round, action, objects });
      failpoint('coordinator.before-erase', action);
      gone += await this.#erase(one);
      failpoint('coordinator.after-erase', action);
      this.#done.add(keyOf(one));
    }
    return gone;
  }

  async #erase({ uploads, blobs, models }: Erasure): Promise<number> {
    const { store } = this.#options;
    for (const name of uploads) await store.uploads.delete(name);
    let gone = uploads.length;
    for (const [objects, hashes] of [
      [store.blobs, blobs],
      [store.models, models],
    ] as const)
      for (const hash of hashes) {
        if (!(await objects.has(hash))) continue;
        await objects.delete(hash);
        gone++;
      }
    return gone;
  }
}

function keyOf({ jobId, round, action }: Pick<Erasure, 'jobId' | 'round' | 'action'>): string {
  return `${jobId} ${String(round)} ${action}`;
}

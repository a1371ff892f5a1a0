// Threads for long arithmetic, so that the main thread can answer meanwhile. A pool runs the named jobs of one compiled module
// (worker-jobs.ts is its other side). Threads start with the first job and end when there has been none for a while: a program that has
// nothing to do holds none, and a thread that waits keeps no program alive.

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { SystemError } from './errors.js';
import { fromFailure, type JobAnswer, type JobCommand } from './worker-jobs.js';

export interface WorkerPoolOptions {
  /** The compiled module, which calls `serveJobs`; see `workerUrl`. */
  readonly module: URL;
  /** At least 1. */
  readonly threads: number;
  /** Jobs that may wait for a thread; whoever hands in more has forgotten to wait for the ones before. */
  readonly queueMax?: number;
  /** Threads end after this long without a job. */
  readonly idleMs?: number;
}

const QUEUE_MAX = 1024;
const IDLE_MS = 30_000;

interface Pending {
  readonly command: JobCommand;
  readonly transfer: readonly ArrayBuffer[];
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** One thread is left to the program itself and to training. */
export function defaultThreads(): number {
  return Math.max(1, availableParallelism() - 1);
}

export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #idle: Worker[] = [];
  readonly #busy = new Map<Worker, Pending>();
  readonly #queue: Pending[] = [];
  #nextId = 0;
  #closed = false;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
  }

  get threads(): number {
    return this.#options.threads;
  }

  /** Threads that exist now. */
  get started(): number {
    return this.#idle.length + this.#busy.size;
  }

  /**
   * Runs a job. What is in `transfer` is the thread's from now on; shared memory stays both sides'; anything else is copied. Rejects with
   * the job's own error if it has a code, and with SystemError `system/pool-full`, `system/pool-closed`, `system/worker-failed`.
   */
  run(job: string, input: unknown, transfer: readonly ArrayBuffer[] = []): Promise<unknown> {
    if (this.#closed) return Promise.reject(closed());
    if (this.#queue.length >= (this.#options.queueMax ?? QUEUE_MAX))
      return Promise.reject(
        new SystemError('system/pool-full', `${String(this.#queue.length)} jobs wait for a thread.`),
      );
    return new Promise((resolve, reject) => {
      this.#queue.push({ command: { id: this.#nextId++, job, input }, transfer, resolve, reject });
      this.#assign();
    });
  }

  /** Ends all threads; jobs under way are given up. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#idleTimer);
    for (const { reject } of [...this.#busy.values(), ...this.#queue.splice(0)]) reject(closed());
    const all = [...this.#idle.splice(0), ...this.#busy.keys()];
    this.#busy.clear();
    await Promise.all(all.map((worker) => worker.terminate()));
  }

  #assign(): void {
    clearTimeout(this.#idleTimer);
    while (this.#queue.length > 0) {
      const worker = this.#idle.pop() ?? (this.#busy.size < this.threads ? this.#start() : undefined);
      if (worker === undefined) return;
      const next = this.#queue.shift();
      if (next === undefined) return;
      this.#busy.set(worker, next);
      worker.ref();
      try {
        worker.postMessage(next.command, [...next.transfer]);
      } catch (cause) {
        // What cannot be sent is a bug of whoever asked, and the thread has not heard of it.
        this.#settled(worker);
        next.reject(new SystemError('system/worker-failed', `the job ${next.command.job} cannot be sent.`, { cause }));
      }
    }
    if (this.#busy.size > 0 || this.#idle.length === 0) return;
    this.#idleTimer = setTimeout(() => {
      for (const worker of this.#idle.splice(0)) void worker.terminate();
    }, this.#options.idleMs ?? IDLE_MS).unref();
  }

  #start(): Worker {
    const worker = new Worker(this.#options.module);
    worker.on('message', (answer: JobAnswer) => {
      const pending = this.#busy.get(worker);
      if (pending?.command.id !== answer.id) return;
      this.#settled(worker);
      if (answer.kind === 'done') pending.resolve(answer.result);
      else pending.reject(fromFailure(answer.failure));
      this.#assign();
    });
    worker.on('error', (cause) => {
      this.#lost(worker, cause);
    });
    worker.on('exit', () => {
      this.#lost(worker, undefined);
    });
    return worker;
  }

  #settled(worker: Worker): void {
    this.#busy.delete(worker);
    worker.unref();
    this.#idle.push(worker);
  }

  /** A thread that ended by itself takes its job with it, and another is started for the next. */
  #lost(worker: Worker, cause: Error | undefined): void {
    const at = this.#idle.indexOf(worker);
    if (at >= 0) this.#idle.splice(at, 1);
    const pending = this.#busy.get(worker);
    this.#busy.delete(worker);
    // The text of a bug may quote what it was working on: its kind is enough.
    const kind = cause === undefined ? 'ended' : `failed (${cause.name})`;
    pending?.reject(new SystemError('system/worker-failed', `the thread of the job ${pending.command.job} ${kind}.`));
    if (!this.#closed) this.#assign();
  }
}

function closed(): SystemError {
  return new SystemError('system/pool-closed', 'the program is ending, and its threads with it.');
}

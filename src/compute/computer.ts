// Where vector work is done: on the threads of a pool when the vector is long, here when it is short. The results are the same bytes:
// both run the same functions (jobs.ts) on the same ranges.

import { WorkerPool, workerUrl } from '../system/index.js';
import { JOBS, KEY_BYTES, type JobName, type JobTypes, type KeyRing } from './jobs.js';
import type { MaskKeys } from '../protocol/index.js';

/** Coordinates from which threads pay: below, starting and telling them takes longer than the work of a small cohort. */
export const POOLED_FROM = 1 << 17;

/** Coordinates of one range on a thread: a megabyte of words, some hundred microseconds to some hundred milliseconds of masks. */
export const RANGE_COORDINATES = 1 << 18;
/** Coordinates of one range where the event loop is waiting behind it. */
export const SHORT_RANGE = 1 << 16;

/** How the work on one vector is done. */
export interface Lane {
  /** A multiple of 8, so that ranges of packed values end at whole bytes. */
  readonly range: number;
  /** Ranges under way at once. */
  readonly window: number;
  /** Throws what the job throws: CodedErrors keep their codes, not their classes. */
  run<Name extends JobName>(name: Name, input: JobTypes[Name]['input']): Promise<JobTypes[Name]['result']>;
  /** Memory that the jobs of this lane see, all zero. */
  room(bytes: number): Uint8Array;
  /** Values where the jobs of this lane see them without a copy of their own. */
  share(values: Float32Array | Float64Array): Float32Array | Float64Array;
}

export interface ComputerOptions {
  /** 0: all work is done where it is asked for. */
  readonly threads: number;
  /** POOLED_FROM unless given. */
  readonly pooledFrom?: number;
}

/** Work is done where it is asked for: tools and tests of single steps. */
export const HERE: Lane = {
  range: SHORT_RANGE,
  window: 1,
  // The table has the result that the types say.
  run: async (name, input) => Promise.resolve(JOBS[name](input).result as never),
  room: (bytes) => new Uint8Array(bytes),
  share: (values) => values,
};

function sharedCopy(values: Float32Array | Float64Array): Float32Array | Float64Array {
  const memory = new SharedArrayBuffer(values.byteLength);
  const copy = values instanceof Float32Array ? new Float32Array(memory) : new Float64Array(memory);
  copy.set(values);
  return copy;
}

export class Computer {
  readonly #pool: WorkerPool | undefined;
  readonly #pooledFrom: number;
  readonly #lane: Lane;

  constructor({ threads, pooledFrom = POOLED_FROM }: ComputerOptions) {
    this.#pooledFrom = pooledFrom;
    const pool =
      threads === 0 ? undefined : new WorkerPool({ module: workerUrl(import.meta.url, './worker.js'), threads });
    this.#pool = pool;
    this.#lane =
      pool === undefined
        ? HERE
        : {
            range: RANGE_COORDINATES,
            // One range is filled or emptied while every thread has another.
            window: threads + 1,
            run: async (name, input) => (await pool.run(name, input)) as never,
            room: (bytes) => new Uint8Array(new SharedArrayBuffer(bytes)),
            share: sharedCopy,
          };
  }

  /** For a vector of `length` coordinates. */
  laneFor(length: number): Lane {
    return length < this.#pooledFrom ? HERE : this.#lane;
  }

  /** Threads that exist now. */
  get started(): number {
    return this.#pool?.started ?? 0;
  }

  async close(): Promise<void> {
    await this.#pool?.close();
  }
}

/** Lays keys side by side where the jobs of a lane see them, for their owner to wipe. What came in is wiped at once. */
export function ringOf(lane: Pick<Lane, 'room'>, { add, subtract }: MaskKeys): KeyRing {
  const bytes = lane.room(KEY_BYTES * (add.length + subtract.length));
  [...add, ...subtract].forEach((key, k) => {
    bytes.set(key, KEY_BYTES * k);
    key.fill(0);
  });
  return { bytes, added: add.length };
}

/** When the last job with these keys has ended. */
export function wipeRing({ bytes }: KeyRing): void {
  bytes.fill(0);
}

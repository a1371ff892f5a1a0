// The thread's side of a pool (worker-pool.ts): a table of jobs by name, and errors that keep their codes on the way back.

import { parentPort } from 'node:worker_threads';
import { CodedError, defined, type ErrorCategory } from '../base/index.js';
import { SystemError } from './errors.js';

export interface JobCommand {
  readonly id: number;
  readonly job: string;
  readonly input: unknown;
}

/** An error as it crosses: structured cloning would keep the text and lose class and code. */
export interface JobFailure {
  readonly code: string;
  readonly message: string;
  readonly category: ErrorCategory;
  readonly remedy: string | undefined;
}

export type JobAnswer =
  | { readonly id: number; readonly kind: 'done'; readonly result: unknown }
  | { readonly id: number; readonly kind: 'failed'; readonly failure: JobFailure };

export interface Done {
  readonly result: unknown;
  /** Buffers that are the asker's from now on. */
  readonly transfer?: readonly ArrayBuffer[];
}

export type Jobs = Readonly<Record<string, (input: never) => Done>>;

/** Answers commands until the pool ends the thread. Inputs must be what the job of that name takes: both sides are one program. */
export function serveJobs(jobs: Jobs): void {
  const port = defined(parentPort ?? undefined, 'the port of a worker thread');
  port.on('message', ({ id, job, input }: JobCommand) => {
    let answer: JobAnswer;
    let transfer: readonly ArrayBuffer[] = [];
    try {
      const run = Object.hasOwn(jobs, job) ? jobs[job] : undefined;
      if (run === undefined) throw new SystemError('system/worker-failed', `there is no job ${job}.`);
      // As the comment above says.
      const done = run(input as never);
      transfer = done.transfer ?? [];
      answer = { id, kind: 'done', result: done.result };
    } catch (error) {
      answer = { id, kind: 'failed', failure: toFailure(error, job) };
    }
    port.postMessage(answer, [...transfer]);
  });
}

function toFailure(error: unknown, job: string): JobFailure {
  if (error instanceof CodedError) {
    // instanceof forgets that codes are strings.
    const { code, message, category, remedy } = error as CodedError;
    return { code, message, category, remedy };
  }
  // A bug. Its text might quote what it was working on, so only its kind crosses.
  const kind = error instanceof Error ? error.name : typeof error;
  return {
    code: 'system/worker-failed',
    message: `unexpected ${kind} in the job ${job}.`,
    category: 'internal',
    remedy: undefined,
  };
}

/** The code, text and category that the job threw; its class is lost, and `isCodedError` still holds. */
export function fromFailure({ code, message, category, remedy }: JobFailure): CodedError {
  return new CodedError(code, message, { category, ...(remedy === undefined ? {} : { remedy }) });
}

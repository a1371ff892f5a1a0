// Long work beside the agent's queue (training, uploading, verifying): once at a time by name, tried again while the coordinator is away.

import { isCodedError, type CodedError } from '../src/base/index.js';
import { isPassing, pause } from './outbox.js';

export interface BackgroundOptions {
  readonly signal: AbortSignal;
  /** Told of every failure that has a code; `kind` is the first word of the work's name. */
  readonly onTrouble: (kind: string, error: CodedError) => void;
  /** The disk failed, or there is a bug. */
  readonly fatal: (error: unknown) => void;
}

/** Between tries of work that failed because the coordinator was away; doubled each time, so that bad bytes are not fetched for ever. */
const RETRY_MS = 1_000;
const RETRY_MAX_MS = 30_000;

export class Background {
  readonly #options: BackgroundOptions;
  readonly #working = new Map<string, Promise<void>>();

  constructor(options: BackgroundOptions) {
    this.#options = options;
  }

  /** Does nothing when work of this name is under way. Names begin with the kind of work. */
  run(name: string, task: () => Promise<void>): void {
    if (this.#working.has(name)) return;
    const done = this.#untilDone(kindOf(name), task).catch(this.#options.fatal);
    this.#working.set(
      name,
      done.finally(() => this.#working.delete(name)),
    );
  }

  /** Resolves when the work of this kind that is under way now has ended; undefined when there is none. */
  underWay(kind: string): Promise<unknown> | undefined {
    const found = [...this.#working].filter(([name]) => kindOf(name) === kind).map(([, done]) => done);
    return found.length === 0 ? undefined : Promise.all(found);
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    while (this.#working.size > 0) await Promise.allSettled(this.#working.values());
  }

  async #untilDone(kind: string, task: () => Promise<void>): Promise<void> {
    const { signal, onTrouble } = this.#options;
    for (let wait = RETRY_MS; !aborted(signal); wait = Math.min(2 * wait, RETRY_MAX_MS)) {
      try {
        await task();
        return;
      } catch (error) {
        if (aborted(signal)) return;
        if (!isCodedError(error) || isOfDisk(error)) throw error;
        onTrouble(kind, error);
        // A final no: the round goes on without this work, and the next directive decides what follows.
        if (!isPassing(error) && !error.code.startsWith('transport/')) return;
        await pause(wait, signal);
      }
    }
  }
}

/** A failed write ends the process: what was to be kept may not be. */
export function isOfDisk(error: CodedError): boolean {
  return error.code.startsWith('storage/') || error.code.startsWith('system/');
}

function kindOf(name: string): string {
  return name.split(' ')[0] ?? name;
}

/** A call of its own: the signal changes while others are awaited, which the checker does not know. */
function aborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

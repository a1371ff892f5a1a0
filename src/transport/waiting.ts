// Waiting that can be given up, and the timers that tests replace.

import { TransportError } from './errors.js';

/** Resolves after `ms`, or at once when `signal` aborts; never rejects. */
export type Sleep = (ms: number, signal: AbortSignal | undefined) => Promise<void>;

export const sleep: Sleep = (ms, signal) =>
  new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve();
      return;
    }
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done);
  });

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw cancelled();
}

export function cancelled(): TransportError {
  return new TransportError('transport/cancelled', 'the call was given up.');
}

export interface Bounds {
  readonly signal: AbortSignal | undefined;
  /** Undefined: as long as it takes. */
  readonly ms?: number | undefined;
  /** What stands still, for the error. */
  readonly what: string;
}

/** `promise`, or transport/cancelled when the signal aborts first, or transport/silent after `ms`. The loser is left to itself. */
export async function within<T>(promise: Promise<T>, { signal, ms, what }: Bounds): Promise<T> {
  let stop = (): void => undefined;
  const broken = new Promise<never>((_resolve, reject) => {
    const onAbort = (): void => {
      reject(cancelled());
    };
    const onSilence = (): void => {
      reject(new TransportError('transport/silent', `${what} stood still for ${String(ms)} ms.`));
    };
    const timer = ms === undefined ? undefined : setTimeout(onSilence, ms);
    signal?.addEventListener('abort', onAbort);
    stop = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    if (signal?.aborted === true) onAbort();
  });
  try {
    return await Promise.race([promise, broken]);
  } finally {
    stop();
  }
}

/**
 * Pulls `source` until it ends or the bounds are broken, and closes it either way: a source that hangs in the middle of a `next` is
 * told to return and not waited for.
 */
export async function* pull<T>(source: AsyncIterable<T>, bounds: Bounds): AsyncGenerator<T, void, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  let ended = false;
  try {
    while (true) {
      const next = iterator.next();
      const result = await within(next, bounds);
      if (result.done === true) {
        ended = true;
        return;
      }
      yield result.value;
    }
  } finally {
    // Nobody is left to hear what closing says.
    if (!ended) Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}

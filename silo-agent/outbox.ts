// Messages on their way to the coordinator: one after the other, each repeated until it is answered. Nothing here survives a crash, and
// nothing needs to: after a restart the coordinator's directives ask again for whatever is missing.

import { isCodedError, type CodedError } from '../src/base/index.js';
import type { SiloClient } from '../src/transport/index.js';
import type { Envelope, SubmitRequest, SubmitResponse } from '../src/wire/index.js';

export interface OutboxOptions {
  readonly client: Pick<SiloClient, 'submit'>;
  readonly onAnswer: (envelope: Envelope, answer: SubmitResponse) => void;
  /** The coordinator said no, finally. */
  readonly onRefused: (envelope: Envelope, error: CodedError) => void;
  readonly signal: AbortSignal;
  readonly retryMs?: number;
}

/** Between tries when the coordinator cannot be reached; the client's own retries with jitter come on top. */
const RETRY_MS = 1_000;

export class Outbox {
  readonly #options: OutboxOptions;
  #last: Promise<void> = Promise.resolve();
  readonly #waiting = new Set<string>();

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Queues a message; the same bytes wait only once. */
  send(request: SubmitRequest & { readonly envelope: Envelope }): void {
    const name = Buffer.from(request.envelope.signature).toString('base64');
    if (this.#waiting.has(name)) return;
    this.#waiting.add(name);
    this.#last = this.#last.then(() => this.#deliver(request)).finally(() => this.#waiting.delete(name));
  }

  async #deliver(request: SubmitRequest & { readonly envelope: Envelope }): Promise<void> {
    const { client, onAnswer, onRefused, signal, retryMs = RETRY_MS } = this.#options;
    while (!signal.aborted) {
      try {
        onAnswer(request.envelope, await client.submit(request, signal));
        return;
      } catch (error) {
        if (stopped(signal)) return;
        if (isCodedError(error) && !isPassing(error)) {
          onRefused(request.envelope, error);
          return;
        }
        await pause(retryMs, signal);
      }
    }
  }

  /** Resolves when everything queued so far is answered or given up. */
  drained(): Promise<void> {
    return this.#last;
  }
}

/** A call of its own: the signal changes while others are awaited, which the checker does not know. */
function stopped(signal: AbortSignal): boolean {
  return signal.aborted;
}

/**
 * Worth another try: the other side is away or in trouble of its own, or does not know this certificate, which may be renewed any moment.
 * What this side finds wrong by itself is wrong the next time, too.
 */
export function isPassing({ code, category }: CodedError): boolean {
  if (category === 'unavailable' || category === 'identity') return true;
  const ofTheirs = category === 'internal' || category === 'limit';
  return ofTheirs && code.startsWith('transport/') && code !== 'transport/too-large';
}

export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done, { once: true });
  });
}

// Messages on their way to the coordinator, each repeated until it is answered. They begin one after the other, so that they arrive in
// the order in which they were sent; but one whose answer does not come holds up the next only for a moment: another job's round must not
// wait until the network has found out that a message was lost. Nothing here survives a crash, and nothing needs to: after a restart the
// coordinator's directives ask again for whatever is missing.

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
  readonly holdMs?: number;
}

/** Between tries when the coordinator cannot be reached; the client's own retries with jitter come on top. */
const RETRY_MS = 1_000;
/** How long a message without an answer holds up the next: longer than an answer takes over any line that works. */
const HOLD_MS = 2_000;

export class Outbox {
  readonly #options: OutboxOptions;
  /** When the next message may begin. */
  #turn: Promise<unknown> = Promise.resolve();
  readonly #underWay = new Set<Promise<void>>();
  readonly #waiting = new Set<string>();

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Queues a message; the same bytes wait only once. */
  send(request: SubmitRequest & { readonly envelope: Envelope }): void {
    const name = Buffer.from(request.envelope.signature).toString('base64');
    if (this.#waiting.has(name)) return;
    this.#waiting.add(name);
    this.#turn = this.#turn.then(() => {
      const delivery = this.#deliver(request).finally(() => {
        this.#waiting.delete(name);
        this.#underWay.delete(delivery);
      });
      this.#underWay.add(delivery);
      return this.#answeredOrHeld(delivery);
    });
  }

  async #answeredOrHeld(delivery: Promise<void>): Promise<void> {
    const { signal, holdMs = HOLD_MS } = this.#options;
    const answered = new AbortController();
    const over = delivery.finally(() => {
      answered.abort();
    });
    await Promise.race([over, pause(holdMs, AbortSignal.any([signal, answered.signal]))]);
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
  async drained(): Promise<void> {
    await this.#turn;
    await Promise.all(this.#underWay);
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
  // An operator keeps this silo out, and may let it in again: what it had to say is still to be said.
  if (code === 'message/denied') return true;
  const ofTheirs = category === 'internal' || category === 'limit';
  return ofTheirs && code.startsWith('transport/') && code !== 'transport/too-large';
}

/** Ends early when the signal aborts; what aborted before is told to nobody any more. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
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

// Messages into a gRPC stream with backpressure: a few are under way, and the next is taken from its source only when one has reached
// the socket. The streams' own limit is sixteen messages, and their callbacks fall silent when the peer leaves.

import type { Bounds } from './waiting.js';
import { within } from './waiting.js';

/** What grpc-js's writable streams of both sides have in common. */
interface MessageStream {
  write(message: Buffer, callback: (error?: Error | null) => void): boolean;
}

export class Sender {
  readonly #stream: MessageStream;
  #free: number;
  #wake: (() => void) | undefined;

  constructor(stream: MessageStream, messages: number) {
    this.#stream = stream;
    this.#free = messages;
  }

  /** True when a message would go out without waiting. */
  get ready(): boolean {
    return this.#free > 0;
  }

  /** Resolves when the message is under way. Throws transport/silent when the peer takes nothing, transport/cancelled when it left. */
  async send(message: Buffer, bounds: Bounds): Promise<void> {
    while (this.#free === 0) {
      const room = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await within(room, bounds);
    }
    this.#free -= 1;
    this.#stream.write(message, () => {
      // An error here ends the call, which its own events report.
      this.#free += 1;
      this.#wake?.();
    });
  }
}

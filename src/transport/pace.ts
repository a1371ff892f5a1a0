// Backpressure for what gRPC reads. Its streams would hold sixteen messages, 16 MiB for each upload: a message is let through only when
// fewer than a few lie unread, and while one is held back gRPC reads nothing more from the connection.

export class Pace {
  #free: number;
  #held: (() => void) | undefined;

  constructor(messages: number) {
    this.#free = messages;
  }

  /** Delivers now, or when there is room. gRPC offers one message at a time, and the next only after this one was delivered. */
  offer(deliver: () => void): void {
    if (this.#free === 0) {
      this.#held = deliver;
      return;
    }
    this.#free -= 1;
    deliver();
  }

  /** One message has been used up. */
  release(): void {
    const deliver = this.#held;
    this.#held = undefined;
    if (deliver === undefined) this.#free += 1;
    else deliver();
  }
}

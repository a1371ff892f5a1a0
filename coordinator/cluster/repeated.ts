// Work that is asked for more often than it can be done: once at a time, and once more for all who asked meanwhile.

export class Repeated {
  readonly #work: () => Promise<void>;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  /** `work` does not throw. */
  constructor(work: () => Promise<void>) {
    this.#work = work;
  }

  /** Resolves when the work was done once, begun after this call. */
  run(): Promise<void> {
    if (this.#running === undefined) {
      this.#running = this.#work().finally(() => (this.#running = undefined));
      return this.#running;
    }
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      return this.run();
    });
    return this.#next;
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }
}

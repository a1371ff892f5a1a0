// How many of something each owner holds. An owner that holds nothing takes no memory.

export class Tally {
  readonly #max: number;
  readonly #held = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  /** What gives the place back (once, however often it is called), or undefined when the owner has no room. */
  enter(owner: string): (() => void) | undefined {
    const held = this.#held.get(owner) ?? 0;
    if (held >= this.#max) return undefined;
    this.#held.set(owner, held + 1);
    let entered = true;
    return () => {
      if (!entered) return;
      entered = false;
      const now = this.#held.get(owner) ?? 0;
      if (now <= 1) this.#held.delete(owner);
      else this.#held.set(owner, now - 1);
    };
  }
}

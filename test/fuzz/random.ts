// Randomness of the fuzzer: a small generator with 128 bits of state (sfc32), so that a seed, a target and a number name one input for
// ever. Not for secrets.

export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** `name` separates streams: two targets under one seed see different inputs. */
  constructor(seed: number, name: string, index: number) {
    let mixed = 0x811c9dc5;
    for (const character of name) mixed = Math.imul(mixed ^ character.charCodeAt(0), 0x01000193);
    this.#a = seed >>> 0;
    this.#b = mixed >>> 0;
    this.#c = index >>> 0;
    for (let round = 0; round < 12; round++) this.u32();
  }

  u32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }

  /** 0 to n−1; 0 when there is nothing to choose from. */
  below(n: number): number {
    return n <= 1 ? 0 : this.u32() % n;
  }

  /** True once in `n` times. */
  once(n: number): boolean {
    return this.below(n) === 0;
  }

  pick<T>(list: readonly T[]): T {
    const value = list[this.below(list.length)];
    if (value === undefined) throw new Error('nothing to pick from');
    return value;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.u32() & 0xff);
  }

  /** Small numbers often, large ones sometimes. */
  size(max: number): number {
    const bits = this.below(Math.floor(Math.log2(max)) + 2);
    return Math.min(max, this.below(2 ** bits + 1));
  }
}

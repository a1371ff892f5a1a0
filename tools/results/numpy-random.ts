// NumPy's RandomState(seed).permutation, whose bits are frozen (NEP 19), so that a split that others published can be made again: MT19937
// (Matsumoto and Nishimura 1998) and a Fisher-Yates shuffle with masked rejection.

const N = 624;
const M = 397;

export class NumpyRandom {
  readonly #state = new Uint32Array(N);
  #at = N;

  /** `seed`: from 0 to 2^32 - 1. */
  constructor(seed: number) {
    this.#state[0] = seed;
    for (let i = 1; i < N; i++) {
      const before = this.#state[i - 1] ?? 0;
      this.#state[i] = Math.imul(1_812_433_253, before ^ (before >>> 30)) + i;
    }
  }

  /** 0 to length - 1 in random order. */
  permutation(length: number): number[] {
    return this.shuffled(Array.from({ length }, (_, i) => i));
  }

  /** A copy in random order. */
  shuffled<T>(items: readonly T[]): T[] {
    const out = [...items];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.#upTo(i);
      // Both are below the length.
      [out[i], out[j]] = [out[j] as T, out[i] as T];
    }
    return out;
  }

  /** Uniform on 0 to `most`. */
  #upTo(most: number): number {
    const mask = 2 ** (32 - Math.clz32(most)) - 1;
    for (;;) {
      const value = (this.#next() & mask) >>> 0;
      if (value <= most) return value;
    }
  }

  #next(): number {
    if (this.#at === N) this.#twist();
    let y = this.#state[this.#at++] ?? 0;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  #twist(): void {
    for (let i = 0; i < N; i++) {
      const y = ((this.#state[i] ?? 0) & 0x80000000) | ((this.#state[(i + 1) % N] ?? 0) & 0x7fffffff);
      this.#state[i] = (this.#state[(i + M) % N] ?? 0) ^ (y >>> 1) ^ ((y & 1) === 1 ? 0x9908b0df : 0);
    }
    this.#at = 0;
  }
}

// RFC 6962 §2.1 as it is written: recursive over the entries themselves, slow, with node:crypto alone.

import { createHash } from 'node:crypto';

const sha256 = (...parts: Uint8Array[]): Buffer => {
  const hasher = createHash('sha256');
  for (const part of parts) hasher.update(part);
  return hasher.digest();
};

export class MerkleTwin {
  readonly #entries: readonly Uint8Array[];
  readonly #known = new Map<string, Buffer>();

  constructor(entries: readonly Uint8Array[]) {
    this.#entries = entries;
  }

  /** MTH(D[from:to]). */
  root(from: number, to: number): Buffer {
    const name = `${from}:${to}`;
    let hash = this.#known.get(name);
    if (hash === undefined) {
      const n = to - from;
      const k = this.#split(n);
      if (n === 0) hash = sha256();
      else if (n === 1) hash = sha256(Uint8Array.of(0), this.#entries[from]!);
      else hash = sha256(Uint8Array.of(1), this.root(from, from + k), this.root(from + k, to));
      this.#known.set(name, hash);
    }
    return hash;
  }

  /** PATH(m, D[from:to]). */
  path(m: number, from: number, to: number): Buffer[] {
    const n = to - from;
    if (n === 1) return [];
    const k = this.#split(n);
    return m < k
      ? [...this.path(m, from, from + k), this.root(from + k, to)]
      : [...this.path(m - k, from + k, to), this.root(from, from + k)];
  }

  /** PROOF(m, D[0:n]) for 0 < m <= n. */
  proof(m: number, n: number): Buffer[] {
    return this.#subproof(m, 0, n, true);
  }

  #subproof(m: number, from: number, to: number, whole: boolean): Buffer[] {
    const n = to - from;
    if (m === n) return whole ? [] : [this.root(from, to)];
    const k = this.#split(n);
    return m <= k
      ? [...this.#subproof(m, from, from + k, whole), this.root(from + k, to)]
      : [...this.#subproof(m - k, from + k, to, false), this.root(from, from + k)];
  }

  #split(n: number): number {
    let k = 1;
    while (k * 2 < n) k *= 2;
    return k;
  }
}

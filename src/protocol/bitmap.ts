// Sets of cohort indices: bit i of byte floor(i/8), least significant first (docs/protocol.md §2.1).

/** ceil(n/8) bytes. */
export function toBitmap(indices: Iterable<number>, n: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.ceil(n / 8));
  for (const i of indices) bytes[i >> 3] = (bytes[i >> 3] ?? 0) | (1 << (i & 7));
  return bytes;
}

/** The indices in ascending order; undefined when the length is wrong or a bit beyond n is set. */
export function fromBitmap(bytes: Uint8Array, n: number): number[] | undefined {
  if (bytes.length !== Math.ceil(n / 8)) return undefined;
  const indices: number[] = [];
  for (let i = 0; i < bytes.length * 8; i++) {
    if (((bytes[i >> 3] ?? 0) & (1 << (i & 7))) === 0) continue;
    if (i >= n) return undefined;
    indices.push(i);
  }
  return indices;
}

// Numbers as bytes, least significant first, and back, copied as a whole where the machine has the same order: number by number a
// model of ten million parameters takes longer than its masks.

const SAME_ORDER = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Writes `values` at the beginning of `into`, which has room for them. */
export function writeNumbers(into: Uint8Array, values: Float32Array | Float64Array): void {
  into.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  if (!SAME_ORDER) turnAround(into.subarray(0, values.byteLength), values.BYTES_PER_ELEMENT);
}

/** Reads as many numbers as `values` has room for from the beginning of `from`. */
export function readNumbers(values: Float32Array | Float64Array, from: Uint8Array): void {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  bytes.set(from.subarray(0, values.byteLength));
  if (!SAME_ORDER) turnAround(bytes, values.BYTES_PER_ELEMENT);
}

function turnAround(bytes: Uint8Array, size: number): void {
  for (let at = 0; at < bytes.length; at += size) bytes.subarray(at, at + size).reverse();
}

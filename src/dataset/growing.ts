// Rows of float32 of a number not known beforehand: in memory up to a bound, in a scratch file beyond it. Doubling keeps copying linear; at
// most twice the bound is held at once.

import { ScratchWriter, type ScratchRows } from '../system/index.js';

export interface Spill {
  /** Where a scratch file may be made. */
  readonly folder: string;
  /** Bytes held before it is. */
  readonly afterBytes: number;
}

const ROWS_AT_FIRST = 1024;
/** Bytes collected before they are written. */
const PIECE_BYTES = 1024 ** 2;

export class GrowingRows {
  readonly #width: number;
  readonly #spill: Spill | undefined;
  #values: Float32Array;
  #length = 0;
  #writer: ScratchWriter | undefined;

  /** Without `spill` everything is held. */
  constructor(width: number, spill?: Spill) {
    this.#width = width;
    this.#spill = spill;
    this.#values = new Float32Array(width * ROWS_AT_FIRST);
  }

  /** Bytes of rows in memory now. */
  get heldBytes(): number {
    return this.#values.byteLength;
  }

  /** Appends the first `width` numbers of `row`, rounded to float32. */
  push(row: ArrayLike<number>, from = 0): void {
    if (this.#length + this.#width > this.#values.length) this.#makeRoom();
    // `row` has `from + width` numbers by contract of the caller.
    const values = this.#values;
    const width = this.#width;
    const at = this.#length;
    for (let i = 0; i < width; i++) values[at + i] = row[from + i] as number;
    this.#length = at + width;
  }

  #makeRoom(): void {
    const spill = this.#spill;
    const larger = Math.max(this.#width, 2 * this.#values.length);
    if (
      this.#writer === undefined &&
      (spill === undefined || larger * Float32Array.BYTES_PER_ELEMENT <= spill.afterBytes)
    ) {
      const values = new Float32Array(larger);
      values.set(this.#values.subarray(0, this.#length));
      this.#values = values;
      return;
    }
    // With a writer there is a folder for it.
    this.#writer ??= new ScratchWriter((spill as Spill).folder, this.#width);
    this.#flush(this.#writer);
    const rows = Math.max(1, Math.floor(PIECE_BYTES / (this.#width * Float32Array.BYTES_PER_ELEMENT)));
    if (this.#values.length > rows * this.#width) this.#values = new Float32Array(rows * this.#width);
  }

  #flush(writer: ScratchWriter): void {
    writer.append(this.#values.subarray(0, this.#length));
    this.#length = 0;
  }

  /** Exactly the rows pushed: in memory of their own size, or in a file that the caller closes. */
  finish(): Float32Array<ArrayBuffer> | ScratchRows {
    if (this.#writer === undefined) return new Float32Array(this.#values.subarray(0, this.#length));
    this.#flush(this.#writer);
    this.#values = new Float32Array();
    return this.#writer.finish();
  }

  /** Instead of `finish`. */
  discard(): void {
    this.#writer?.discard();
    this.#writer = undefined;
  }
}

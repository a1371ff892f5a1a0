// Rows of float32 of a number not known beforehand. Doubling keeps copying linear; at most twice the final size is held at once.

export class GrowingRows {
  readonly #width: number;
  #values: Float32Array;
  #length = 0;

  constructor(width: number, rowsExpected = 1024) {
    this.#width = width;
    this.#values = new Float32Array(width * rowsExpected);
  }

  /** Appends the first `width` numbers of `row`, rounded to float32. */
  push(row: ArrayLike<number>, from = 0): void {
    const end = this.#length + this.#width;
    if (end > this.#values.length) {
      const larger = new Float32Array(Math.max(end, 2 * this.#values.length));
      larger.set(this.#values.subarray(0, this.#length));
      this.#values = larger;
    }
    // `row` has `from + width` numbers by contract of the caller.
    for (let i = 0; i < this.#width; i++) this.#values[this.#length + i] = row[from + i] as number;
    this.#length = end;
  }

  /** Exactly the rows pushed, in memory of their own size. */
  finish(): Float32Array<ArrayBuffer> {
    return new Float32Array(this.#values.subarray(0, this.#length));
  }
}

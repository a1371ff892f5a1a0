// The buffers of one batch, filled again for every step. The graphs have a fixed batch size; a last batch with fewer rows is filled up
// with zeros of weight zero, which change neither loss nor gradient; or, where rows act on each other through statistics of the batch,
// with rows from the beginning of the order, also of weight zero.

import { elementCount, type StepGraph } from '../model/index.js';
import type { ReadRow, AnyTable } from './table.js';

export class Batch {
  readonly features: Float32Array;
  readonly targets: Float32Array | BigInt64Array;
  readonly weights: Float32Array;
  readonly #columns: number;
  readonly #perRow: number;

  readonly #fillsWithRows: boolean;

  constructor(graph: StepGraph, filler?: 'rows') {
    this.#fillsWithRows = filler === 'rows';
    this.#columns = elementCount(graph.input.shape.slice(1));
    this.#perRow = elementCount(graph.targets.shape.slice(1));
    this.features = new Float32Array(graph.batchSize * this.#columns);
    const targets = graph.batchSize * this.#perRow;
    this.targets = graph.targets.type === 'int64' ? new BigInt64Array(targets) : new Float32Array(targets);
    this.weights = new Float32Array(graph.batchSize);
  }

  /** `read`: the reader of the table. Takes rows order[from] to order[from + size - 1], or what is left of them. Returns the sum of their weights. */
  fill(table: AnyTable, read: ReadRow, order: Uint32Array, from: number): number {
    const own = Math.min(this.weights.length, order.length - from);
    const rows = this.#fillsWithRows ? this.weights.length : own;
    let total = 0;
    for (let slot = 0; slot < rows; slot++) {
      // Below order.length by the remainder.
      const row = order[(from + slot) % order.length] as number;
      read(row, this.features, slot * this.#columns);
      for (let i = 0; i < this.#perRow; i++)
        this.#setTarget(slot * this.#perRow + i, table.targets[row * this.#perRow + i]);
      const weight = slot < own ? (table.weights?.[row] ?? 1) : 0;
      this.weights[slot] = weight;
      total += weight;
    }
    this.features.fill(0, rows * this.#columns);
    // The two array types share no callable `fill`.
    if (this.targets instanceof BigInt64Array) this.targets.fill(0n, rows * this.#perRow);
    else this.targets.fill(0, rows * this.#perRow);
    this.weights.fill(0, rows);
    return total;
  }

  #setTarget(at: number, value = 0): void {
    if (this.targets instanceof BigInt64Array) this.targets[at] = BigInt(value);
    else this.targets[at] = value;
  }
}

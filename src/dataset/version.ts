// What tells one state of a data set from another. The input rule of the protocol (docs/protocol.md §3) counts openings per
// version, so the same records in another order must have the same one: row hashes are added up, not chained.

import { createHash } from 'node:crypto';

const LANES = 4;

/**
 * A sum of SHA-256 row hashes in four lanes modulo 2^64. It tells any edit of ordinary records; somebody who could choose thousands of
 * rows freely could make two sets collide, but the records are the silo's own and it alone relies on this.
 */
export class VersionHash {
  readonly #sum = new BigUint64Array(LANES);
  #rows = 0;

  /** `row`: float64 values in column order. */
  add(row: Float64Array): void {
    const digest = createHash('sha256')
      .update(new Uint8Array(row.buffer, row.byteOffset, row.byteLength))
      .digest();
    for (let lane = 0; lane < LANES; lane++)
      // The typed array reduces modulo 2^64; the lane is below its length.
      this.#sum[lane] = (this.#sum[lane] as bigint) + digest.readBigUInt64LE(8 * lane);
    this.#rows++;
  }

  /** 64 hexadecimal digits. */
  finish(columns: readonly string[]): string {
    return createHash('sha256')
      .update(JSON.stringify({ columns, rows: this.#rows }))
      .update(Buffer.from(this.#sum.buffer))
      .digest('hex');
  }
}

// Which records are held out for evaluation. A keyed hash of each record's bytes decides, so the same record is on the same side in every
// round and after every restart, equal records are never on both sides, and nobody without the silo's key can tell the side.

import { createHmac } from 'node:crypto';
import { DataSetError } from './errors.js';

/** The same shape as trainer/'s table. */
export interface Records {
  readonly rows: number;
  /** Features of one row. */
  readonly columns: number;
  /** Row-major, rows * columns. */
  readonly features: Float32Array<ArrayBuffer>;
  /** One per row; empty where the contract has no target. */
  readonly targets: Float32Array<ArrayBuffer>;
}

export interface RecordPart {
  readonly train: Records;
  readonly holdout: Records;
}

const HASH_RANGE = 2 ** 48;

/**
 * Holds each record out with probability `fraction` by HMAC-SHA256 under `key` (32 bytes, the silo's own). The number held out is near
 * fraction * rows, not equal to it. Order is kept. Throws DataSetError `dataset/too-few-rows` when nothing is left to train on.
 */
export function splitHoldout(records: Records, fraction: number, key: Uint8Array): RecordPart {
  if (!(fraction >= 0 && fraction < 1))
    throw new RangeError(`a hold-out fraction is from 0 to below 1, not ${String(fraction)}`);
  if (key.length !== 32) throw new RangeError(`the key of a split has 32 bytes, not ${String(key.length)}`);
  const train: number[] = [];
  const holdout: number[] = [];
  for (let row = 0; row < records.rows; row++) (position(records, row, key) < fraction ? holdout : train).push(row);
  if (train.length === 0)
    throw new DataSetError('dataset/too-few-rows', 'the hold-out part leaves no records to train on.');
  return { train: select(records, train), holdout: select(records, holdout) };
}

/** In [0, 1), the same for the same record. */
function position({ columns, features, targets }: Records, row: number, key: Uint8Array): number {
  const bytes = createHmac('sha256', key)
    .update(bytesOf(features.subarray(row * columns, (row + 1) * columns)))
    .update(bytesOf(targets.subarray(row, row + 1)))
    .digest();
  return bytes.readUIntBE(0, 6) / HASH_RANGE;
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function select({ columns, features, targets }: Records, rows: readonly number[]): Records {
  const picked = new Float32Array(rows.length * columns);
  const labels = new Float32Array(targets.length === 0 ? 0 : rows.length);
  rows.forEach((row, i) => {
    picked.set(features.subarray(row * columns, (row + 1) * columns), i * columns);
    // Targets are empty or one per row.
    if (targets.length > 0) labels[i] = targets[row] as number;
  });
  return { rows: rows.length, columns, features: picked, targets: labels };
}

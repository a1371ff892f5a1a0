// Which records are held out for evaluation. A keyed hash of each record's bytes decides, so the same record is on the same side in every
// round and after every restart, equal records are never on both sides, and nobody without the silo's key can tell the side.

import { createHmac } from 'node:crypto';
import { ScratchReader, type ScratchRows } from '../system/index.js';
import { DataSetError } from './errors.js';

/** The same shape as trainer/'s table. */
export interface Records {
  readonly rows: number;
  /** Features of one row. */
  readonly columns: number;
  /** Row-major, rows * columns. */
  readonly features: Float32Array<ArrayBuffer> | ScratchRows;
  /** One per row; empty where the contract has no target. */
  readonly targets: Float32Array<ArrayBuffer>;
  /** For each row the number of its unit of privacy, from 0 in order of appearance; undefined where each row is one. */
  readonly units?: Uint32Array<ArrayBuffer> | undefined;
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
  const heldOut = new Uint8Array(records.rows);
  const bytes = rowBytes(records);
  for (let row = 0; row < records.rows; row++)
    heldOut[row] = position(records, row, bytes(row), key) < fraction ? 1 : 0;
  const holdout = heldOut.reduce((sum, one) => sum + one, 0);
  if (holdout === records.rows)
    throw new DataSetError('dataset/too-few-rows', 'the hold-out part leaves no records to train on.');
  // A patient with rows on both sides would be measured on what was trained on; jobs with units hold nothing out.
  const whole = records.units !== undefined && fraction === 0;
  return {
    train: whole ? records : select(records, heldOut, 0, records.rows - holdout),
    holdout: select(records, heldOut, 1, holdout),
  };
}

/** The features of a row as they lie in memory; the array is used again. */
function rowBytes({ columns, features }: Records): (row: number) => Uint8Array {
  if (features instanceof Float32Array) return (row) => bytesOf(features.subarray(row * columns, (row + 1) * columns));
  const reader = new ScratchReader(features);
  const values = new Float32Array(columns);
  return (row) => {
    reader.readInto(row, values, 0);
    return bytesOf(values);
  };
}

/** In [0, 1), the same for the same record. */
function position({ targets }: Records, row: number, features: Uint8Array, key: Uint8Array): number {
  const bytes = createHmac('sha256', key)
    .update(features)
    .update(bytesOf(targets.subarray(row, row + 1)))
    .digest();
  return bytes.readUIntBE(0, 6) / HASH_RANGE;
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** The `count` rows on one side. Of records in a file only their numbers are kept. */
function select({ columns, features, targets }: Records, sides: Uint8Array, side: 0 | 1, count: number): Records {
  const rows = new Uint32Array(count);
  let found = 0;
  sides.forEach((one, row) => {
    if (one === side) rows[found++] = row;
  });
  const labels = new Float32Array(targets.length === 0 ? 0 : count);
  // Targets are empty or one per row.
  if (targets.length > 0) rows.forEach((row, i) => (labels[i] = targets[row] as number));
  if (!(features instanceof Float32Array)) {
    const picked = features.picked;
    const own = picked === undefined ? rows : rows.map((row) => picked[row] ?? 0);
    return { rows: count, columns, features: { ...features, rows: count, picked: own }, targets: labels };
  }
  const picked = new Float32Array(count * columns);
  rows.forEach((row, i) => {
    picked.set(features.subarray(row * columns, (row + 1) * columns), i * columns);
  });
  return { rows: count, columns, features: picked, targets: labels };
}

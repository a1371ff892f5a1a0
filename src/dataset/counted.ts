// Records as a statistics job counts them, wherever they lie.

import type { CountedRows } from '../job/index.js';
import { ScratchReader } from '../system/index.js';
import type { DataSet } from './read.js';

/** What is in a file is read row by row, in the order in which it is asked for. */
export function countedRows(records: DataSet): CountedRows {
  const { features, columns, rows } = records;
  if (features instanceof Float32Array) return { ...records, features };
  const reader = new ScratchReader(features);
  const values = new Float32Array(columns);
  let held = -1;
  const valueAt = (row: number, column: number): number => {
    if (row !== held) reader.readInto(row, values, 0);
    held = row;
    return values[column] ?? 0;
  };
  return { ...records, features: { length: rows * columns, valueAt } };
}

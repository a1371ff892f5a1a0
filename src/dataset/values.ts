// From DuckDB's typed vectors to float64. Only types that are numbers, and booleans as 0 and 1: a number in a text column is refused
// rather than guessed.

import type { DuckDBDataChunk, DuckDBResult, DuckDBVector } from '@duckdb/node-api';

/** Names of DuckDB's types that are read as numbers. DECIMAL comes with width and scale. */
const NUMERIC = new Set([
  'BOOLEAN',
  'TINYINT',
  'SMALLINT',
  'INTEGER',
  'BIGINT',
  'HUGEINT',
  'UTINYINT',
  'USMALLINT',
  'UINTEGER',
  'UBIGINT',
  'UHUGEINT',
  'FLOAT',
  'DOUBLE',
]);

/** True when columns of this type can be read as numbers. */
export function isNumeric(rows: DuckDBResult, column: number): boolean {
  const type = rows.columnType(column).toString();
  return NUMERIC.has(type) || type.startsWith('DECIMAL');
}

/** One column of a chunk; undefined for NULL. Integers beyond 2^53 are rounded to the nearest double. */
export function columnOf(chunk: DuckDBDataChunk, column: number): (row: number) => number | undefined {
  const vector: DuckDBVector = chunk.getColumnVector(column);
  return (row) => toNumber(vector.getItem(row));
}

function toNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'boolean') return value ? 1 : 0;
  return isDecimal(value) ? value.toDouble() : undefined;
}

function isDecimal(value: unknown): value is { toDouble(): number } {
  return typeof value === 'object' && value !== null && 'toDouble' in value && typeof value.toDouble === 'function';
}

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

/** True when columns of this type can be compared with categories: text, and numbers as they are written. */
export function isCategorical(rows: DuckDBResult, column: number): boolean {
  const type = rows.columnType(column).toString();
  return type === 'VARCHAR' || type.startsWith('ENUM') || isNumeric(rows, column);
}

/** What a column holds, in DuckDB's words. */
export function typeOf(rows: DuckDBResult, column: number): string {
  return rows.columnType(column).toString();
}

/** What a category column has where its value is none of the categories. */
export const NO_CATEGORY = -1;

/**
 * One column of a chunk; undefined for NULL. Integers beyond 2^53 are rounded to the nearest double. With `categories`: the position of
 * each value among them.
 */
export function columnOf(
  chunk: DuckDBDataChunk,
  column: number,
  categories?: ReadonlyMap<string, number>,
): (row: number) => number | undefined {
  const vector: DuckDBVector = chunk.getColumnVector(column);
  if (categories === undefined) return (row) => toNumber(vector.getItem(row));
  return (row) => {
    const value: unknown = vector.getItem(row);
    if (value === null || value === undefined) return undefined;
    return categories.get(textOf(value)) ?? NO_CATEGORY;
  };
}

/** As a category would be written: numbers without trailing zeros, booleans as 0 and 1. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : String(toNumber(value));
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

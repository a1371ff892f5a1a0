// From what a source gives to float64. Only numbers, and booleans as 0 and 1: a number in a text column is refused rather than guessed.

import type { RowBatch } from './rows.js';

/** What a category column has where its value is none of the categories. */
export const NO_CATEGORY = -1;

/**
 * One column of a batch; undefined for NULL. Integers beyond 2^53 are rounded to the nearest double. With `categories`: the position of
 * each value among them.
 */
export function columnOf(
  batch: RowBatch,
  column: number,
  categories?: ReadonlyMap<string, number>,
): (row: number) => number | undefined {
  const valueAt = batch.valuesOf(column);
  if (categories === undefined) return (row) => toNumber(valueAt(row));
  return (row) => {
    const value = valueAt(row);
    if (value === null || value === undefined) return undefined;
    return categories.get(textOf(value)) ?? NO_CATEGORY;
  };
}

interface Written {
  readonly toString: () => string;
}

/** One column of a batch as text that is equal for equal values, of whatever type; undefined for NULL. */
export function namesOf(batch: RowBatch, column: number): (row: number) => string | undefined {
  const valueAt = batch.valuesOf(column);
  return (row) => {
    const value = valueAt(row);
    if (value === null || value === undefined) return undefined;
    // DuckDB's own objects (dates, identifiers, decimals) write themselves in full.
    return (value as Written).toString();
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

/** DuckDB's DECIMAL. */
function isDecimal(value: unknown): value is { toDouble(): number } {
  return typeof value === 'object' && value !== null && 'toDouble' in value && typeof value.toDouble === 'function';
}

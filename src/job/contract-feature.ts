// One column that a job reads: numbers within a range, or one of a list of categories, and what is done where nothing stands.

import { MissingValues, type Feature } from '../wire/index.js';
import { JOB_LIMITS } from './limits.js';
import { isWhole, type Problems } from './problems.js';

/** What is done with a record that has nothing in a column. `fill` is what stands in its place, a position where there are categories. */
export type MissingRule = 'refuse' | 'drop-row' | { readonly fill: number };

export interface FeatureColumn {
  readonly column: string;
  /** Declared range in the column's own unit. A value outside is an error, and statistics are scaled by it. */
  readonly minimum: number;
  readonly maximum: number;
  /** May be empty. Compared with the unit that a silo's own configuration gives the column, where it gives one. */
  readonly unit: string;
  /** The values that the column may have, as text; its number is then the position here, from 0 to `maximum`. */
  readonly categories?: readonly string[] | undefined;
  /** What the whole contract says unless given. */
  readonly missing?: MissingRule | undefined;
}

export function readFeature({ column, minimum, maximum, unit, categories, missing, fill }: Feature): FeatureColumn {
  return {
    column,
    minimum,
    maximum,
    unit,
    ...(categories.length === 0 ? {} : { categories }),
    ...(missing === MissingValues.MISSING_VALUES_UNSPECIFIED ? {} : { missing: readMissing(missing, fill) }),
  };
}

export function writeFeature({ column, minimum, maximum, unit, categories, missing }: FeatureColumn): Feature {
  const fill = typeof missing === 'object' ? missing.fill : 0;
  return { column, minimum, maximum, unit, categories: [...(categories ?? [])], missing: writeMissing(missing), fill };
}

/** A number that this version does not know reads as `refuse`, and the bytes then differ from those that came. */
function readMissing(missing: MissingValues, fill: number): MissingRule {
  if (missing === MissingValues.MISSING_VALUES_FILL) return { fill };
  return missing === MissingValues.MISSING_VALUES_DROP_ROW ? 'drop-row' : 'refuse';
}

function writeMissing(missing: MissingRule | undefined): MissingValues {
  if (missing === undefined) return MissingValues.MISSING_VALUES_UNSPECIFIED;
  if (typeof missing === 'object') return MissingValues.MISSING_VALUES_FILL;
  return missing === 'refuse' ? MissingValues.MISSING_VALUES_REFUSE : MissingValues.MISSING_VALUES_DROP_ROW;
}

export function checkFeature(feature: FeatureColumn, path: string, problems: Problems): void {
  const { minimum, maximum, unit, categories, missing } = feature;
  checkRange(feature, path, problems);
  problems.require(isText(unit), `${path}.unit`, `at most ${String(JOB_LIMITS.nameLength)} printable characters`);
  if (categories !== undefined) checkCategories(categories, feature, path, problems);
  if (typeof missing === 'object')
    problems.require(
      missing.fill >= minimum &&
        missing.fill <= maximum &&
        (categories === undefined || Number.isInteger(missing.fill)),
      `${path}.fill`,
      categories === undefined ? 'a number within the declared range' : 'one of the categories',
    );
}

function checkCategories(
  categories: readonly string[],
  { minimum, maximum, unit }: FeatureColumn,
  path: string,
  problems: Problems,
): void {
  const { categoriesMax, nameLength } = JOB_LIMITS;
  problems.require(
    isWhole(categories.length, 2, categoriesMax) && new Set(categories).size === categories.length,
    `${path}.categories`,
    `2 to ${String(categoriesMax)} categories, each once`,
  );
  problems.require(
    categories.every((text) => text.length > 0 && isText(text)),
    `${path}.categories`,
    `1 to ${String(nameLength)} printable characters each`,
  );
  problems.require(
    minimum === 0 && maximum === categories.length - 1 && unit === '',
    path,
    'positions from 0 to the last category, without a unit',
  );
}

export function checkRange(range: { minimum: number; maximum: number }, path: string, problems: Problems): void {
  problems.require(Number.isFinite(range.minimum), `${path}.minimum`, 'a finite number');
  problems.require(Number.isFinite(range.maximum), `${path}.maximum`, 'a finite number');
  // Finite in float32 too, which is what models read, and with a width that does not vanish or overflow in float64.
  const width = range.maximum - range.minimum;
  problems.require(
    width > 0 && Number.isFinite(Math.fround(range.minimum)) && Number.isFinite(Math.fround(range.maximum)),
    path,
    'a minimum below its maximum, both within the range of 32-bit floating point',
  );
}

/** Printable on one line: these texts are shown to the people who approve a job. */
export function isText(text: string): boolean {
  return text.length <= JOB_LIMITS.nameLength && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text);
}

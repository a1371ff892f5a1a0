// A feature of a job file: a range of numbers, or a list of categories, and a rule of its own for what is missing. One entry can stand for
// many columns that are alike, such as the pixels of a picture.

import { z } from 'zod';
import type { FeatureColumn, MissingRule } from '../job/index.js';
import { LIMITS } from '../base/index.js';
import { finite, strict, whole } from './fields.js';

const written = strict({
  column: z.string(),
  /** Columns named `column`0, `column`1, … instead of one. */
  count: whole(1, LIMITS.featuresMax).optional(),
  minimum: finite.optional(),
  maximum: finite.optional(),
  unit: z.string().default(''),
  /** Text, or numbers as they would be written. */
  categories: z.array(z.union([z.string(), finite.transform(String)])).optional(),
  missing: z.enum(['refuse', 'drop-row', 'fill']).optional(),
  /** A number, or one of the categories. */
  fill: z.union([z.string(), finite]).optional(),
});

type Written = z.output<typeof written>;

const feature = written.transform((value, context): FeatureColumn[] => {
  const { unit, categories } = value;
  const complain = (path: string, message: string): never => {
    context.issues.push({ code: 'custom', path: [path], message, input: value });
    return z.NEVER;
  };
  if ((value.missing === 'fill') !== (value.fill !== undefined))
    return complain('fill', 'a value to fill in, together with missing: fill and only with it');
  const missing = missingOf(value);
  const own = missing === undefined ? {} : { missing };
  if (categories !== undefined) {
    if (value.minimum !== undefined || value.maximum !== undefined)
      return complain('categories', 'expected either categories or minimum and maximum');
    return columnsOf(value, { minimum: 0, maximum: categories.length - 1, unit, categories, ...own });
  }
  if (value.minimum === undefined) return complain('minimum', 'expected a number, or categories instead of a range');
  if (value.maximum === undefined) return complain('maximum', 'expected a number, or categories instead of a range');
  return columnsOf(value, { minimum: value.minimum, maximum: value.maximum, unit, ...own });
});

export const features = z.array(feature).transform((all) => all.flat());

function columnsOf({ column, count }: Written, rest: Omit<FeatureColumn, 'column'>): FeatureColumn[] {
  if (count === undefined) return [{ column, ...rest }];
  return Array.from({ length: count }, (_, i) => ({ column: `${column}${String(i)}`, ...rest }));
}

/** A category becomes its position; job/ refuses what is none. */
function missingOf({ missing, fill, categories }: Written): MissingRule | undefined {
  if (missing !== 'fill') return missing;
  if (categories === undefined) return { fill: typeof fill === 'number' ? fill : NaN };
  return { fill: categories.indexOf(String(fill)) };
}

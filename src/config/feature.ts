// A feature of a job file: a range of numbers, or a list of categories, and a rule of its own for what is missing.

import { z } from 'zod';
import type { FeatureColumn, MissingRule } from '../job/index.js';
import { finite, strict } from './fields.js';

const written = strict({
  column: z.string(),
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

export const feature = written.transform((value, context): FeatureColumn => {
  const { column, unit, categories } = value;
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
    return { column, minimum: 0, maximum: categories.length - 1, unit, categories, ...own };
  }
  if (value.minimum === undefined) return complain('minimum', 'expected a number, or categories instead of a range');
  if (value.maximum === undefined) return complain('maximum', 'expected a number, or categories instead of a range');
  return { column, minimum: value.minimum, maximum: value.maximum, unit, ...own };
});

/** A category becomes its position; job/ refuses what is none. */
function missingOf({ missing, fill, categories }: Written): MissingRule | undefined {
  if (missing !== 'fill') return missing;
  if (categories === undefined) return { fill: typeof fill === 'number' ? fill : NaN };
  return { fill: categories.indexOf(String(fill)) };
}

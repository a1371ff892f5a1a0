// What a value must fulfil, per column of the contract, in words that say the rule and not the value.

import type { Contract, FeatureColumn, MissingRule, TargetColumn } from '../job/index.js';
import { NO_CATEGORY } from './values.js';

export interface ColumnRule {
  readonly column: string;
  /** What the job expects here, for people: type, range or categories, unit. */
  readonly expected: string;
  /** The declared unit; empty for none. */
  readonly unit: string;
  /** Positions of the values that the column may have; undefined for numbers. */
  readonly categories: ReadonlyMap<string, number> | undefined;
  readonly missing: MissingRule;
  /** A value from `low` to `high` breaks nothing, which spares most values the call of `broken`. NaN where only that can tell. */
  readonly low: number;
  readonly high: number;
  /** The rule that `value` breaks; undefined when it is good. */
  readonly broken: (value: number) => string | undefined;
}

const MISSING = 'missing (NULL)';
const NOT_FINITE = 'not a finite number';

/** Features in contract order, then the target if there is one, then the event of a survival target. */
export function rulesOf({ features, target, missing }: Contract): ColumnRule[] {
  const rules = features.map((feature) => featureRule(feature, missing));
  if (target === undefined) return rules;
  const plain = { unit: '', categories: undefined, missing, low: NaN, high: NaN };
  const { expected, broken } = targetRule(target);
  rules.push({ ...plain, column: target.column, expected, broken });
  if (target.kind === 'survival')
    rules.push({ ...plain, column: target.eventColumn, expected: 'a number, 0 or 1', broken: zeroOrOne });
  return rules;
}

/** What a record has in a column: undefined where it cannot be kept, with the rule it breaks where it breaks one. */
export function judge(
  { missing, broken }: ColumnRule,
  found: number | undefined,
): { readonly value: number | undefined; readonly broken: string | undefined } {
  if (found !== undefined) {
    const rule = broken(found);
    return { value: rule === undefined ? found : undefined, broken: rule };
  }
  if (typeof missing === 'object') return { value: missing.fill, broken: undefined };
  return { value: undefined, broken: missing === 'refuse' ? MISSING : undefined };
}

function featureRule(feature: FeatureColumn, missing: MissingRule): ColumnRule {
  const { column, minimum, maximum, unit, categories } = feature;
  const common = { column, unit, missing: feature.missing ?? missing };
  if (categories !== undefined) {
    const expected = `one of ${categories.join(', ')}`;
    return {
      ...common,
      expected,
      low: 0,
      high: categories.length - 1,
      categories: new Map(categories.map((text, position) => [text, position])),
      broken: (value) => (value === NO_CATEGORY ? 'not one of its categories' : undefined),
    };
  }
  const range = `a number from ${String(minimum)} to ${String(maximum)}`;
  return {
    ...common,
    expected: unit === '' ? range : `${range} ${unit}`,
    low: minimum,
    high: maximum,
    categories: undefined,
    broken: within(minimum, maximum),
  };
}

function within(minimum: number, maximum: number): ColumnRule['broken'] {
  const rule = `outside its declared range of ${String(minimum)} to ${String(maximum)}`;
  return (value) => {
    if (!Number.isFinite(value)) return NOT_FINITE;
    return value >= minimum && value <= maximum ? undefined : rule;
  };
}

function zeroOrOne(value: number): string | undefined {
  return value === 0 || value === 1 ? undefined : 'neither 0 nor 1';
}

function targetRule(target: TargetColumn): Pick<ColumnRule, 'expected' | 'broken'> {
  switch (target.kind) {
    case 'binary':
      return { expected: 'a number, 0 or 1', broken: zeroOrOne };
    case 'classes': {
      const numbers = `from 0 to ${String(target.classes - 1)}`;
      const good = (value: number): boolean => Number.isInteger(value) && value >= 0 && value < target.classes;
      return {
        expected: `a whole number ${numbers}`,
        broken: (value) => (good(value) ? undefined : `not a class number ${numbers}`),
      };
    }
    case 'real': {
      const { minimum, maximum } = target;
      return { expected: `a number from ${String(minimum)} to ${String(maximum)}`, broken: within(minimum, maximum) };
    }
    case 'survival': {
      const { maximum } = target;
      const words = `above 0 and up to ${String(maximum)}`;
      // In float32, in which it is trained on: a time that vanishes there would be no record.
      const good = (value: number): boolean => Math.fround(value) > 0 && value <= maximum;
      return {
        expected: `a number ${words}`,
        broken: (value) => (good(value) ? undefined : `not a time ${words}`),
      };
    }
  }
}

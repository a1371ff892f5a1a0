// What a value must fulfil, per column of the contract, in words that say the rule and not the value.

import type { Contract, TargetColumn } from '../job/index.js';

export interface ColumnRule {
  readonly column: string;
  /** The rule that `value` breaks; undefined when it is good. */
  readonly broken: (value: number) => string | undefined;
}

const NOT_FINITE = 'not a finite number';

/** Features in contract order, then the target if there is one, then the event of a survival target. */
export function rulesOf({ features, target }: Contract): ColumnRule[] {
  const rules = features.map(({ column, minimum, maximum }) => ({ column, broken: within(minimum, maximum) }));
  if (target === undefined) return rules;
  rules.push({ column: target.column, broken: targetRule(target) });
  if (target.kind === 'survival') rules.push({ column: target.eventColumn, broken: zeroOrOne });
  return rules;
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

function targetRule(target: TargetColumn): ColumnRule['broken'] {
  switch (target.kind) {
    case 'binary':
      return zeroOrOne;
    case 'classes': {
      const rule = `not a class number from 0 to ${String(target.classes - 1)}`;
      return (value) => (Number.isInteger(value) && value >= 0 && value < target.classes ? undefined : rule);
    }
    case 'real':
      return within(target.minimum, target.maximum);
    case 'survival': {
      const { maximum } = target;
      const rule = `not a time above 0 and up to ${String(maximum)}`;
      // In float32, in which it is trained on: a time that vanishes there would be no record.
      return (value) => (Math.fround(value) > 0 && value <= maximum ? undefined : rule);
    }
  }
}

// What a value must fulfil, per column of the contract, in words that say the rule and not the value.

import type { Contract, TargetColumn } from '../job/index.js';

export interface ColumnRule {
  readonly column: string;
  /** The rule that `value` breaks; undefined when it is good. */
  readonly broken: (value: number) => string | undefined;
}

const NOT_FINITE = 'not a finite number';

/** Features in contract order, then the target if there is one. */
export function rulesOf({ features, target }: Contract): ColumnRule[] {
  const rules = features.map(({ column, minimum, maximum }) => ({ column, broken: within(minimum, maximum) }));
  return target === undefined ? rules : [...rules, { column: target.column, broken: targetRule(target) }];
}

function within(minimum: number, maximum: number): ColumnRule['broken'] {
  const rule = `outside its declared range of ${String(minimum)} to ${String(maximum)}`;
  return (value) => {
    if (!Number.isFinite(value)) return NOT_FINITE;
    return value >= minimum && value <= maximum ? undefined : rule;
  };
}

function targetRule(target: TargetColumn): ColumnRule['broken'] {
  switch (target.kind) {
    case 'binary':
      return (value) => (value === 0 || value === 1 ? undefined : 'neither 0 nor 1');
    case 'classes': {
      const rule = `not a class number from 0 to ${String(target.classes - 1)}`;
      return (value) => (Number.isInteger(value) && value >= 0 && value < target.classes ? undefined : rule);
    }
    case 'real':
      return within(target.minimum, target.maximum);
  }
}

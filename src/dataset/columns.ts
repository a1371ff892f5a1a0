// Where the columns of a contract stand in the answer of a query, and everything about them that can be wrong before a value is read.

import { DataSetError } from './errors.js';
import type { RowColumn } from './rows.js';
import type { ColumnRule } from './rules.js';

/** Units that a silo's own configuration gives its columns, by name. */
export type Units = Readonly<Record<string, string>>;

export interface ColumnProblem {
  readonly column: string;
  readonly kind: 'missing' | 'repeated' | 'wrong-type' | 'wrong-unit';
  /** What is there instead: a type or a unit, never a value or the name of another column. Empty where nothing is. */
  readonly found: string;
}

export interface Located {
  /** One for each rule; -1 for a column that is not there. */
  readonly positions: readonly number[];
  readonly problems: readonly ColumnProblem[];
}

/** What the query gives instead is not said: without a header line those names are values. */
export function locate(given: readonly RowColumn[], rules: readonly ColumnRule[], units: Units): Located {
  const places = new Map<string, number[]>();
  for (const [at, { name }] of given.entries()) {
    const known = places.get(name);
    if (known === undefined) places.set(name, [at]);
    else known.push(at);
  }
  const positions = rules.map(({ column }) => places.get(column)?.[0] ?? -1);
  const problems = rules.flatMap((rule, i): ColumnProblem[] => {
    const { column } = rule;
    const found = given[positions[i] ?? -1];
    if (found === undefined) return [{ column, kind: 'missing', found: '' }];
    if ((places.get(column)?.length ?? 0) > 1) return [{ column, kind: 'repeated', found: '' }];
    const fits = rule.categories === undefined ? found.numeric : found.categorical;
    const unit = Object.hasOwn(units, column) ? units[column] : undefined;
    return [
      ...(fits ? [] : [{ column, kind: 'wrong-type' as const, found: found.type }]),
      ...(unit === undefined || unit === rule.unit ? [] : [{ column, kind: 'wrong-unit' as const, found: unit }]),
    ];
  });
  return { positions, problems };
}

/** Where the column stands that tells which records are of one patient. Of any type: its values are only compared. */
export function locateUnit(name: string, columns: readonly RowColumn[], column: string): number {
  const given = columns.map((one) => one.name);
  const at = given.indexOf(column);
  if (at < 0) throw new DataSetError('dataset/missing-column', `data set ${name} has no column ${column}.`);
  if (given.lastIndexOf(column) !== at)
    throw new DataSetError('dataset/missing-column', `data set ${name} has more than one column ${column}.`);
  return at;
}

/** Throws DataSetError of the first kind of problem that there is. */
export function demandNone(name: string, problems: readonly ColumnProblem[]): void {
  const columns = (kind: ColumnProblem['kind']): string =>
    problems
      .filter((one) => one.kind === kind)
      .map(({ column }) => column)
      .join(', ');
  const has = (kind: ColumnProblem['kind']): boolean => problems.some((one) => one.kind === kind);
  if (has('missing'))
    throw new DataSetError('dataset/missing-column', `data set ${name} has no column ${columns('missing')}.`);
  if (has('repeated'))
    throw new DataSetError(
      'dataset/missing-column',
      `data set ${name} has more than one column ${columns('repeated')}.`,
    );
  if (has('wrong-type'))
    throw new DataSetError('dataset/wrong-type', `data set ${name}: not a number: column ${columns('wrong-type')}.`);
  if (has('wrong-unit'))
    throw new DataSetError(
      'dataset/wrong-unit',
      `data set ${name}: another unit than the job declares: column ${columns('wrong-unit')}.`,
    );
}

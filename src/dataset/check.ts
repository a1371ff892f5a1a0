// Holds a data set against a contract and lists everything that does not fit, where a job would stop at the first kind of it. For the
// people of the hospital itself: the few values it keeps are for their own terminal.

import type { Contract } from '../job/index.js';
import { locate, type ColumnProblem } from './columns.js';
import { Complaints } from './complaints.js';
import type { RowBatch, RowStream } from './rows.js';
import { judge, rulesOf, type ColumnRule } from './rules.js';
import { withRows, type DataSetSource } from './source.js';
import { columnOf, textOf } from './values.js';

export interface DataFinding {
  readonly column: string;
  /** What the job expects of the column. */
  readonly expected: string;
  /** What stands against it; no value. */
  readonly problem: string;
  /** Records; 0 for what is about the whole column. */
  readonly count: number;
  /** The first few, in the order of the query, from 1. */
  readonly rows: readonly number[];
  /** What stands in those rows. Records of patients: for a screen inside the hospital, never for a log. */
  readonly values: readonly string[];
}

export interface ColumnCount {
  readonly column: string;
  readonly expected: string;
  /** Records without a value. */
  readonly missing: number;
}

export interface DataCheck {
  /** Rows that the query gives. */
  readonly rows: number;
  /** Those a job would use. */
  readonly usable: number;
  /** Those left out because a value is missing, as the contract allows. */
  readonly dropped: number;
  /** Those that break a rule. */
  readonly broken: number;
  readonly columns: readonly ColumnCount[];
  readonly findings: readonly DataFinding[];
  /** Whether usable rows are as many as the job wants. */
  readonly enough: 'yes' | 'too-few' | 'too-many';
}

/** True when a job with this contract would read these records. */
export function dataFits({ findings, enough }: DataCheck): boolean {
  return findings.length === 0 && enough === 'yes';
}

/** Throws DataSetError when the source itself cannot be read: `dataset/query-…`, `dataset/outside`, `dataset/database-…`, `dataset/bad-file`. */
export async function checkDataSet(source: DataSetSource, contract: Contract): Promise<DataCheck> {
  return withRows(source, async (rows: RowStream) => {
    const rules = rulesOf(contract);
    const { positions, problems } = locate(rows.columns, rules, source.units ?? {});
    const checker = new Checker(contract, rules, positions, problems);
    for (let batch = await rows.next(); batch !== undefined; batch = await rows.next()) checker.read(batch);
    return checker.finish();
  });
}

type Named = Pick<ColumnRule, 'column' | 'expected'>;

class Checker {
  readonly #contract: Contract;
  readonly #rules: readonly ColumnRule[];
  readonly #problems: readonly ColumnProblem[];
  /** Rules whose columns can be read, with where they stand. */
  readonly #readable: readonly { readonly rule: ColumnRule; readonly position: number }[];
  readonly #complaints = new Complaints();
  readonly #values = new Map<string, string[]>();
  readonly #missing = new Map<string, number>();
  #rows = 0;
  #broken = 0;
  #dropped = 0;

  constructor(
    contract: Contract,
    rules: readonly ColumnRule[],
    positions: readonly number[],
    problems: readonly ColumnProblem[],
  ) {
    this.#contract = contract;
    this.#rules = rules;
    this.#problems = problems;
    // A column in another unit is read all the same: its values may break rules of their own.
    const unreadable = new Set(problems.filter(({ kind }) => kind !== 'wrong-unit').map(({ column }) => column));
    this.#readable = rules.flatMap((rule, i) =>
      unreadable.has(rule.column) ? [] : [{ rule, position: positions[i] ?? 0 }],
    );
  }

  read(batch: RowBatch): void {
    const columns = this.#readable.map(({ rule, position }) => ({
      rule,
      numberAt: columnOf(batch, position, rule.categories),
      valueAt: batch.valuesOf(position),
    }));
    for (let i = 0; i < batch.rows; i++) {
      this.#rows++;
      const fault = batch.faults?.get(i);
      if (fault !== undefined) {
        this.#complaints.add(fault.column, fault.rule, this.#rows);
        this.#broken++;
        continue;
      }
      let kept = true;
      let good = true;
      for (const { rule, numberAt, valueAt } of columns) {
        const found = numberAt(i);
        if (found === undefined) this.#missing.set(rule.column, (this.#missing.get(rule.column) ?? 0) + 1);
        const { value, broken } = judge(rule, found);
        if (value === undefined) kept = false;
        if (broken === undefined) continue;
        good = false;
        const named = this.#complaints.add(rule.column, broken, this.#rows);
        if (named && found !== undefined) this.#keep(rule.column, broken, textOf(valueAt(i)));
      }
      if (!good) this.#broken++;
      else if (!kept) this.#dropped++;
    }
  }

  #keep(column: string, rule: string, value: string): void {
    const key = JSON.stringify([column, rule]);
    const values = this.#values.get(key) ?? [];
    this.#values.set(key, values);
    values.push(value);
  }

  finish(): DataCheck {
    const usable = this.#rows - this.#broken - this.#dropped;
    const { minRows, maxRows } = this.#contract;
    return {
      rows: this.#rows,
      usable,
      dropped: this.#dropped,
      broken: this.#broken,
      columns: this.#readable.map(({ rule: { column, expected } }) => ({
        column,
        expected,
        missing: this.#missing.get(column) ?? 0,
      })),
      findings: [...this.#sourceColumns(), ...this.#rules].flatMap((rule) => this.#findingsOf(rule)),
      enough: usable < minRows ? 'too-few' : usable > maxRows ? 'too-many' : 'yes',
    };
  }

  /** Columns that the job does not name and something is wrong with all the same: those that hold paths of pictures. */
  #sourceColumns(): readonly Named[] {
    const known = new Set(this.#rules.map(({ column }) => column));
    const others = this.#complaints.list.map(({ column }) => column).filter((column) => !known.has(column));
    return [...new Set(others)].map((column) => ({ column, expected: 'as the configuration describes it' }));
  }

  #findingsOf({ column, expected }: Named): DataFinding[] {
    const about = this.#problems.filter((one) => one.column === column);
    const broken = this.#complaints.list.filter((one) => one.column === column);
    return [
      ...about.map((one) => ({ column, expected, problem: words(one), count: 0, rows: [], values: [] })),
      ...broken.map(({ rule, count, rows }) => ({
        column,
        expected,
        problem: rule,
        count,
        rows,
        values: this.#values.get(JSON.stringify([column, rule])) ?? [],
      })),
    ];
  }
}

function words({ kind, found }: ColumnProblem): string {
  switch (kind) {
    case 'missing':
      return 'the query gives no such column';
    case 'repeated':
      return 'the query gives more than one column of this name';
    case 'wrong-type':
      return `of type ${found}`;
    case 'wrong-unit':
      return `in ${found}, says this configuration`;
  }
}

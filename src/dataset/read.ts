// Reads a data set for a job: runs its SELECT, finds the contract's columns by name, checks every value, and returns numbers.

import type { DuckDBDataChunk } from '@duckdb/node-api';
import type { Contract } from '../job/index.js';
import { demandNone, locate, type Units } from './columns.js';
import { Complaints } from './complaints.js';
import { nextChunk, withQuery, type Query } from './engine.js';
import { DataSetError } from './errors.js';
import { GrowingRows } from './growing.js';
import type { Records } from './holdout.js';
import { judge, rulesOf, type ColumnRule } from './rules.js';
import { columnOf } from './values.js';
import { VersionHash } from './version.js';

export interface DataSetSource {
  /** As in the agent's configuration. */
  readonly name: string;
  /** Exactly one SELECT. */
  readonly query: string;
  /** The only places on disk that the query may read, with everything below them. Symbolic links that lead elsewhere are refused. */
  readonly directories: readonly string[];
  /** Units of its columns, where the configuration says them: compared with those that a job declares. */
  readonly units?: Units | undefined;
}

/** Rows are in the order in which one thread of DuckDB gives them: the order of the files, unless the query sorts. */
export interface DataSet extends Records {
  /** Rows without a value that the contract lets drop. */
  readonly droppedRows: number;
  /** Rows without a value in each feature, whatever was done about it. */
  readonly missing?: readonly number[] | undefined;
  /** Changes whenever a value or the number of rows changes, not with their order. Over the columns of the contract, as float64. */
  readonly version: string;
}

/**
 * Throws DataSetError `dataset/query-refused`, `dataset/query-failed`, `dataset/outside`, `dataset/missing-column`,
 * `dataset/wrong-type`, `dataset/wrong-unit`, `dataset/bad-values`, `dataset/too-few-rows` or `dataset/too-many-rows`.
 */
export async function readDataSet(source: DataSetSource, contract: Contract): Promise<DataSet> {
  const query: Query = { name: source.name, sql: source.query, directories: source.directories };
  return withQuery(query, async (rows) => {
    const rules = rulesOf(contract);
    const { positions, problems } = locate(rows, rules, source.units ?? {});
    demandNone(source.name, problems);
    const reader = new RowReader(source.name, contract, rules);
    for (;;) {
      const chunk = await nextChunk(query, rows);
      if (chunk === null || chunk.rowCount === 0) return reader.finish();
      reader.read(chunk, positions);
    }
  });
}

/** Runs the query as a job would and reads the first rows only. Throws like `readDataSet`; resolves with the number of columns. */
export async function probeDataSet({ name, query: sql, directories }: DataSetSource): Promise<number> {
  const query: Query = { name, sql, directories };
  return withQuery(query, async (rows) => {
    await nextChunk(query, rows);
    return rows.columnNames().length;
  });
}

class RowReader {
  readonly #name: string;
  readonly #contract: Contract;
  readonly #rules: readonly ColumnRule[];
  readonly #features: GrowingRows;
  readonly #targets = new GrowingRows(1);
  readonly #version = new VersionHash();
  readonly #complaints = new Complaints();
  readonly #row: Float64Array;
  readonly #missing: number[];
  /** Rows that the query gave, for row numbers. */
  #seen = 0;
  #kept = 0;

  constructor(name: string, contract: Contract, rules: readonly ColumnRule[]) {
    this.#name = name;
    this.#contract = contract;
    this.#rules = rules;
    this.#features = new GrowingRows(contract.features.length);
    this.#row = new Float64Array(rules.length);
    this.#missing = rules.map(() => 0);
  }

  read(chunk: DuckDBDataChunk, positions: readonly number[]): void {
    const columns = positions.map((position, i) => columnOf(chunk, position, this.#rules[i]?.categories));
    for (let i = 0; i < chunk.rowCount; i++) {
      this.#seen++;
      if (!this.#check(columns, i)) continue;
      this.#kept++;
      if (this.#kept > this.#contract.maxRows) throw this.#tooMany();
      this.#version.add(this.#row);
      this.#features.push(this.#row);
      if (this.#contract.target !== undefined) this.#pushTarget(this.#contract.features.length);
    }
  }

  /** The target stands at `at`. A time whose event was not seen is negative, as Cox's loss reads it. */
  #pushTarget(at: number): void {
    const censored = this.#contract.target?.kind === 'survival' && this.#row[at + 1] === 0;
    if (censored) this.#row[at] = -(this.#row[at] ?? 0);
    this.#targets.push(this.#row, at);
  }

  finish(): DataSet {
    const { minRows, features } = this.#contract;
    if (!this.#complaints.empty)
      throw new DataSetError('dataset/bad-values', `data set ${this.#name}: ${this.#complaints.describe()}.`);
    if (this.#kept < minRows)
      throw new DataSetError(
        'dataset/too-few-rows',
        `data set ${this.#name} has ${String(this.#kept)} usable records, the job asks for at least ${String(minRows)}.`,
      );
    return {
      rows: this.#kept,
      columns: features.length,
      features: this.#features.finish(),
      targets: this.#targets.finish(),
      droppedRows: this.#seen - this.#kept,
      missing: this.#missing.slice(0, features.length),
      version: this.#version.finish(this.#rules.map(({ column }) => column)),
    };
  }

  /** Fills `#row`; false when the row is dropped or breaks a rule. */
  #check(columns: readonly ((row: number) => number | undefined)[], i: number): boolean {
    let kept = true;
    for (const [c, valueAt] of columns.entries()) {
      // One rule per column.
      const rule = this.#rules[c] as ColumnRule;
      const found = valueAt(i);
      if (found === undefined) this.#missing[c] = (this.#missing[c] ?? 0) + 1;
      const { value, broken } = judge(rule, found);
      if (broken !== undefined) this.#complaints.add(rule.column, broken, this.#seen);
      if (value === undefined) kept = false;
      // -0 and 0 are the same value and must have the same version; a row with nothing here is not kept.
      this.#row[c] = (value ?? 0) + 0;
    }
    return kept;
  }

  #tooMany(): DataSetError {
    return new DataSetError(
      'dataset/too-many-rows',
      `data set ${this.#name} has more than the ${String(this.#contract.maxRows)} records that the job allows for.`,
    );
  }
}

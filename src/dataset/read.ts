// Reads a data set for a job: opens its source, finds the contract's columns by name, checks every value, and returns numbers.

import { tmpdir } from 'node:os';
import { LIMITS } from '../base/index.js';
import type { Contract } from '../job/index.js';
import { closeScratch } from '../system/index.js';
import { demandNone, locate, locateUnit } from './columns.js';
import { Complaints } from './complaints.js';
import { DataSetError } from './errors.js';
import { GrowingRows, type Spill } from './growing.js';
import type { Records } from './holdout.js';
import type { RowBatch } from './rows.js';
import { judge, rulesOf, type ColumnRule } from './rules.js';
import { withRows, type DataSetSource } from './source.js';
import { columnOf, namesOf } from './values.js';
import { VersionHash } from './version.js';

/**
 * Rows are in the order in which the source gives them. One thread of DuckDB gives the order of the files; PostgreSQL promises none unless
 * the query sorts.
 */
export interface DataSet extends Records {
  /** Rows without a value that the contract lets drop. */
  readonly droppedRows: number;
  /** Rows without a value in each feature, whatever was done about it. */
  readonly missing?: readonly number[] | undefined;
  /** Changes whenever a value or the number of rows changes, not with their order. Over the columns of the contract, as float64. */
  readonly version: string;
  /** Frees the file of records that are not in memory, when nobody reads them any more. */
  readonly close?: () => void;
}

/**
 * `scratch`: folder for records that are more than the source's `memoryMiB`; they are encrypted there and the file has no name. Throws
 * DataSetError `dataset/…` and SystemError `system/…`.
 */
export async function readDataSet(source: DataSetSource, contract: Contract, scratch = tmpdir()): Promise<DataSet> {
  return withRows(source, async (rows) => {
    const rules = rulesOf(contract);
    const { positions, problems } = locate(rows.columns, rules, source.units ?? {});
    demandNone(source.name, problems);
    const { unitColumn } = contract;
    const unitAt = unitColumn === undefined ? undefined : locateUnit(source.name, rows.columns, unitColumn);
    const afterBytes = (source.memoryMiB ?? LIMITS.recordsMiB) * MiB;
    const reader = new RowReader(source.name, contract, rules, { folder: scratch, afterBytes });
    try {
      for (let batch = await rows.next(); batch !== undefined; batch = await rows.next())
        reader.read(batch, positions, unitAt);
      return reader.finish();
    } catch (error) {
      reader.discard();
      throw error;
    }
  });
}

/** Opens the source as a job would and reads the first rows only. Throws like `readDataSet`; resolves with the number of columns. */
export async function probeDataSet(source: DataSetSource): Promise<number> {
  return withRows(source, async (rows) => {
    await rows.next();
    return rows.columns.length;
  });
}

const MiB = 1024 ** 2;

class RowReader {
  readonly #name: string;
  readonly #contract: Contract;
  readonly #rules: readonly ColumnRule[];
  readonly #features: GrowingRows;
  readonly #targets = new GrowingRows(1);
  readonly #units: number[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #version = new VersionHash();
  readonly #complaints = new Complaints();
  readonly #row: Float64Array;
  readonly #missing: number[];
  /** Of the rules. */
  readonly #lows: Float64Array;
  readonly #highs: Float64Array;
  /** Rows that the query gave, for row numbers. */
  #seen = 0;
  #kept = 0;

  constructor(name: string, contract: Contract, rules: readonly ColumnRule[], spill: Spill) {
    this.#name = name;
    this.#contract = contract;
    this.#rules = rules;
    this.#features = new GrowingRows(contract.features.length, spill);
    this.#row = new Float64Array(rules.length);
    this.#missing = rules.map(() => 0);
    this.#lows = Float64Array.from(rules, ({ low }) => low);
    this.#highs = Float64Array.from(rules, ({ high }) => high);
  }

  read(batch: RowBatch, positions: readonly number[], unitAt: number | undefined): void {
    const unitOf = unitAt === undefined ? undefined : namesOf(batch, unitAt);
    const columns = positions.map((position, i) => columnOf(batch, position, this.#rules[i]?.categories));
    for (let i = 0; i < batch.rows; i++) {
      this.#seen++;
      const fault = batch.faults?.get(i);
      if (fault !== undefined) {
        this.#complaints.add(fault.column, fault.rule, this.#seen);
        continue;
      }
      const unit = unitOf?.(i);
      if (!this.#check(columns, i) || !this.#hasUnit(unitOf, unit)) continue;
      this.#kept++;
      if (this.#kept > this.#contract.maxRows) throw this.#tooMany();
      this.#version.add(this.#row);
      this.#features.push(this.#row);
      if (this.#contract.target !== undefined) this.#pushTarget(this.#contract.features.length);
      if (unit !== undefined) this.#units.push(this.#numberOf(unit));
    }
  }

  /** A record that belongs to nobody would be a unit of its own in one silo and everybody's in another: it is asked about. */
  #hasUnit(unitOf: unknown, unit: string | undefined): boolean {
    if (unitOf === undefined || unit !== undefined) return true;
    this.#complaints.add(this.#contract.unitColumn ?? '', 'missing (NULL)', this.#seen);
    return false;
  }

  #numberOf(unit: string): number {
    const known = this.#numbers.get(unit);
    if (known !== undefined) return known;
    const number = this.#numbers.size;
    this.#numbers.set(unit, number);
    return number;
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
    const values = this.#features.finish();
    return {
      rows: this.#kept,
      columns: features.length,
      features: values,
      // Never spilled: one number a record.
      targets: this.#targets.finish() as Float32Array<ArrayBuffer>,
      units: this.#contract.unitColumn === undefined ? undefined : Uint32Array.from(this.#units),
      droppedRows: this.#seen - this.#kept,
      missing: this.#missing.slice(0, features.length),
      version: this.#version.finish(this.#rules.map(({ column }) => column)),
      ...(values instanceof Float32Array
        ? {}
        : {
            close: () => {
              closeScratch(values);
            },
          }),
    };
  }

  /** Instead of `finish`. */
  discard(): void {
    this.#features.discard();
  }

  /** Fills `#row`; false when the row is dropped or breaks a rule. */
  #check(columns: readonly ((row: number) => number | undefined)[], i: number): boolean {
    let kept = true;
    const row = this.#row;
    for (let c = 0; c < columns.length; c++) {
      // One reader and one rule per column.
      const found = (columns[c] as (row: number) => number | undefined)(i);
      // Nearly every value is good, and a call for each would cost more than its check. -0 and 0 are the same value and must have the
      // same version.
      if (found !== undefined && found >= (this.#lows[c] as number) && found <= (this.#highs[c] as number)) {
        row[c] = found + 0;
        continue;
      }
      const rule = this.#rules[c] as ColumnRule;
      if (found === undefined) this.#missing[c] = (this.#missing[c] ?? 0) + 1;
      const { value, broken } = judge(rule, found);
      if (broken !== undefined) this.#complaints.add(rule.column, broken, this.#seen);
      if (value === undefined) kept = false;
      // A row with nothing here is not kept.
      row[c] = (value ?? 0) + 0;
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

// The records of one silo as numbers, and the check that they fit the model. The messages count, they never quote.

import { elementCount, type StepGraph } from '../model/index.js';
import { ScratchReader, type ScratchRows } from '../system/index.js';
import { TrainerError } from './errors.js';

/** Rows, wherever their features lie. */
interface Rows<Features> {
  readonly rows: number;
  /** Features of one row; an image counts channels * height * width. */
  readonly columns: number;
  /** rows * columns, raw values where the model standardises by itself. */
  readonly features: Features;
  /** Per row: one number per output, or one class label counted from 0. */
  readonly targets: Float32Array;
  /** Weight of each row in loss and gradient, above 0; all 1 when absent. */
  readonly weights?: Float32Array;
}

/** In memory, row-major. Over a SharedArrayBuffer nothing is copied on the way to the trainer's thread. */
export type Table = Rows<Float32Array>;

/** In memory, or in a file. */
export type AnyTable = Rows<Float32Array | ScratchRows>;

/** Reads the features of one row to into[at], into[at + 1], … Without garbage where the table is in memory. */
export type ReadRow = (row: number, into: Float32Array, at: number) => void;

export function rowReader({ columns, features }: AnyTable): ReadRow {
  if (!(features instanceof Float32Array)) {
    const reader = new ScratchReader(features);
    return (row, into, at) => {
      reader.readInto(row, into, at);
    };
  }
  return (row, into, at) => {
    const source = row * columns;
    // Plain loops: a view per row would be garbage in every step.
    for (let i = 0; i < columns; i++) into[at + i] = features[source + i] ?? 0;
  };
}

/** Throws `trainer/bad-data` or `trainer/not-finite`. */
export function checkTable(table: AnyTable, graph: StepGraph): void {
  const { rows, columns, features, targets, weights } = table;
  const columnsExpected = elementCount(graph.input.shape.slice(1));
  const targetsExpected = elementCount(graph.targets.shape.slice(1));
  if (!Number.isSafeInteger(rows) || rows < 1) refuse(`${String(rows)} rows, at least one is needed`);
  if (columns !== columnsExpected) refuse(`${String(columns)} columns, the model takes ${String(columnsExpected)}`);
  const values = features instanceof Float32Array ? features.length : features.rows * features.width;
  if (values !== rows * columns || (!(features instanceof Float32Array) && features.width !== columns))
    refuse(`${String(values)} feature values for ${String(rows)} rows of ${String(columns)}`);
  if (targets.length !== rows * targetsExpected)
    refuse(`${String(targets.length)} targets for ${String(rows)} rows of ${String(targetsExpected)}`);
  if (weights !== undefined && weights.length !== rows)
    refuse(`${String(weights.length)} weights for ${String(rows)} rows`);

  const unfit = features instanceof Float32Array ? count(features, isNotFinite) : unfitInFile(table);
  if (unfit > 0) throw new TrainerError('trainer/not-finite', `${String(unfit)} feature values are not finite`);
  const unfitTargets = count(targets, isNotFinite);
  if (unfitTargets > 0) throw new TrainerError('trainer/not-finite', `${String(unfitTargets)} targets are not finite`);
  if (weights !== undefined && count(weights, (weight) => !(weight > 0 && weight < Infinity)) > 0)
    refuse('weights must be finite and above 0');
  const { classes } = graph;
  if (classes !== undefined) {
    const strange = count(targets, (label) => !Number.isInteger(label) || label < 0 || label >= classes);
    if (strange > 0) refuse(`${String(strange)} labels are not whole numbers from 0 to ${String(classes - 1)}`);
  }
}

function unfitInFile(table: AnyTable): number {
  const read = rowReader(table);
  const values = new Float32Array(table.columns);
  let found = 0;
  for (let row = 0; row < table.rows; row++) {
    read(row, values, 0);
    found += count(values, isNotFinite);
  }
  return found;
}

function refuse(message: string): never {
  throw new TrainerError('trainer/bad-data', message);
}

function isNotFinite(value: number): boolean {
  return !Number.isFinite(value);
}

function count(values: Float32Array, matches: (value: number) => boolean): number {
  let found = 0;
  for (const value of values) if (matches(value)) found++;
  return found;
}

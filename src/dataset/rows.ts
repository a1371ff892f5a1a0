// What every source gives, whatever it is: named columns, and batches of rows as they stream. Values come as the source has them;
// values.ts makes numbers of them.

export interface RowColumn {
  readonly name: string;
  /** In the source's own words. */
  readonly type: string;
  /** Can be read as numbers. */
  readonly numeric: boolean;
  /** Can be compared with categories: text, and numbers as they are written. */
  readonly categorical: boolean;
}

/** A row of which a part could not be had at all: a picture that is none. */
export interface RowFault {
  readonly column: string;
  /** The rule that is broken, without the value. */
  readonly rule: string;
}

export interface RowBatch {
  readonly rows: number;
  /** The values of one column; null where nothing stands. */
  readonly valuesOf: (column: number) => (row: number) => unknown;
  readonly faults?: ReadonlyMap<number, RowFault>;
}

export interface RowStream {
  readonly columns: readonly RowColumn[];
  /** Undefined behind the last row. Throws DataSetError. */
  readonly next: () => Promise<RowBatch | undefined>;
}

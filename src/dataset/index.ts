// dataset: reads a silo's private records. One SELECT over CSV, Parquet or JSON files in directories that the silo's own configuration
// names, or of a PostgreSQL server; arrays of NumPy; pictures named by a query. Checked value by value against a job's data contract, as
// numbers in memory or, where they are too many for it, in an encrypted file. Nothing in an error ever quotes a record.

export { DATASET_ERRORS, DataSetError, type DataSetErrorCode } from './errors.js';
export { probeDataSet, readDataSet, type DataSet } from './read.js';
export { type DataSetSource } from './source.js';
export { checkDataSet, dataFits, type ColumnCount, type DataCheck, type DataFinding } from './check.js';
export { parseNpy, type NpyArray } from './npy.js';
export { parseNpz } from './npz.js';
export { countedRows } from './counted.js';
export { splitHoldout, type RecordPart, type Records } from './holdout.js';

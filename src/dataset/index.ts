// dataset: reads a silo's private records. One SELECT over CSV, Parquet or JSON files in directories that the silo's own configuration
// names, checked value by value against a job's data contract, as numbers in memory. Nothing in an error ever quotes a record.

export { DATASET_ERRORS, DataSetError, type DataSetErrorCode } from './errors.js';
export { probeDataSet, readDataSet, type DataSet, type DataSetSource } from './read.js';
export { checkDataSet, dataFits, type ColumnCount, type DataCheck, type DataFinding } from './check.js';
export { parseNpy, type NpyArray } from './npy.js';
export { parseNpz } from './npz.js';
export { splitHoldout, type RecordPart, type Records } from './holdout.js';

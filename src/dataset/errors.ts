// What can be wrong with a source or with the records it gives, as this room's closed union of codes. Messages name columns of the
// contract, row numbers and broken rules; never a value, and never what DuckDB or PostgreSQL says, which may quote them.

import { CodedError, defineErrors, type ErrorCategory } from '../base/index.js';

export const DATASET_ERRORS = defineErrors({
  'dataset/query-refused':
    'The query of a data set is not exactly one SELECT: write one SELECT statement without parameters in the agent’s configuration.',
  'dataset/query-failed':
    'The query of a data set could not be run: run it by hand, with the duckdb shell on the same files or with psql on the same server, to see why.',
  'dataset/database-unreachable':
    'The PostgreSQL server of a data set did not answer: check postgres.url in the agent’s configuration, the network and the server.',
  'dataset/database-refused':
    'The PostgreSQL server of a data set refused the connection, or is not the one it should be: check user, passwordFile, tls and what the user may read.',
  'dataset/outside':
    'A data set reads something outside the directories that the configuration allows: move the files or add their directory.',
  'dataset/missing-column':
    'The query does not give a column that the job needs: rename or add it in the SELECT of the data set.',
  'dataset/wrong-type': 'A column that the job needs is not a number: cast it in the SELECT of the data set.',
  'dataset/wrong-unit':
    'The unit that the configuration gives a column is not the one that the job declares: convert the column in the SELECT of the data set, then say its new unit.',
  'dataset/bad-values':
    'Records break a rule of the job’s data contract: correct or exclude them in the SELECT, or ask for a contract that fits.',
  'dataset/bad-file':
    'A file of arrays is not there, damaged or of a kind that is not read: write it again with numpy.save or numpy.savez, in C order.',
  'dataset/too-few-rows': 'The data set has fewer records than the job asks of a silo: this silo cannot take part.',
  'dataset/too-many-rows': 'The data set has more records than the job allows for: narrow the SELECT of the data set.',
});

export type DataSetErrorCode = keyof typeof DATASET_ERRORS;

export class DataSetError extends CodedError<DataSetErrorCode> {
  override readonly name = 'DataSetError';

  constructor(code: DataSetErrorCode, message: string, category: ErrorCategory = 'content') {
    super(code, message, { category, remedy: DATASET_ERRORS[code] });
  }
}

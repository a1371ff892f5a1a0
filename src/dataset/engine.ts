// DuckDB, shut in: no extensions, no network, files only below the allowed directories, nothing spilled to disk, settings locked. It is
// loaded on first use, because it costs time and memory that commands which read no records need not pay.

import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { DuckDBConnection, DuckDBDataChunk, DuckDBPreparedStatement, DuckDBResult } from '@duckdb/node-api';
import { DataSetError } from './errors.js';
import type { RowBatch, RowColumn, RowStream } from './rows.js';

/** MiB that a query may use before it fails; the records themselves are held outside of it. */
const MEMORY_MIB = 1024;

export interface Query {
  /** Name of the data set, for errors. */
  readonly name: string;
  readonly sql: string;
  readonly directories: readonly string[];
}

/** Runs one SELECT and lends its rows, as they stream in batches of DuckDB's own size (2048), to `use`. Throws DataSetError. */
export async function withQuery<T>(query: Query, use: (rows: RowStream) => Promise<T>): Promise<T> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '1',
    preserve_insertion_order: 'true',
    memory_limit: `${String(MEMORY_MIB)}MiB`,
    temp_directory: '',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  try {
    const connection = await instance.connect();
    try {
      await shutIn(connection, query.directories);
      const statement = await prepare(connection, query);
      return await use(streamOf(query, await guarded(query, () => statement.stream())));
    } finally {
      connection.closeSync();
    }
  } finally {
    instance.closeSync();
  }
}

function streamOf(query: Query, result: DuckDBResult): RowStream {
  const names = result.columnNames();
  return {
    columns: names.map((name, at) => columnOf(name, result.columnType(at).toString())),
    next: async () => {
      const chunk = await guarded(query, () => result.fetchChunk());
      return chunk === null || chunk.rowCount === 0 ? undefined : batchOf(chunk);
    },
  };
}

function batchOf(chunk: DuckDBDataChunk): RowBatch {
  return {
    rows: chunk.rowCount,
    valuesOf: (column) => {
      const vector = chunk.getColumnVector(column);
      return (row) => vector.getItem(row);
    },
  };
}

/** Names of DuckDB's types that are read as numbers. DECIMAL comes with width and scale. */
const NUMERIC = new Set([
  'BOOLEAN',
  'TINYINT',
  'SMALLINT',
  'INTEGER',
  'BIGINT',
  'HUGEINT',
  'UTINYINT',
  'USMALLINT',
  'UINTEGER',
  'UBIGINT',
  'UHUGEINT',
  'FLOAT',
  'DOUBLE',
]);

function columnOf(name: string, type: string): RowColumn {
  const numeric = NUMERIC.has(type) || type.startsWith('DECIMAL');
  return { name, type, numeric, categorical: numeric || type === 'VARCHAR' || type.startsWith('ENUM') };
}

async function shutIn(connection: DuckDBConnection, directories: readonly string[]): Promise<void> {
  const named = directories.map((directory) => resolve(directory));
  // DuckDB compares files where they really are, so a directory that is a symbolic link is allowed under both of its names.
  const allowed = [...new Set([...named, ...(await Promise.all(named.map(real)))])];
  const list = allowed.map((directory) => `'${directory.replaceAll("'", "''")}/'`);
  await connection.run(`SET allowed_directories = [${list.join(', ')}]`);
  await connection.run('SET enable_external_access = false');
  await connection.run('SET lock_configuration = true');
}

/** Where a directory really is; its name where it is not there, which the query will then notice. */
async function real(directory: string): Promise<string> {
  return realpath(directory).catch(() => directory);
}

/**
 * `allowed_directories` alone would still permit COPY TO, so the query must be one SELECT. Its kind is asked of the parser first: to
 * prepare a statement binds it, and binding has effects (EXPORT DATABASE makes its folder) or turns a PRAGMA into a SELECT.
 */
async function prepare(connection: DuckDBConnection, query: Query): Promise<DuckDBPreparedStatement> {
  await refuseUnlessSelect(connection, query);
  const { StatementType } = await import('@duckdb/node-api');
  const statements = await guarded(query, () => connection.extractStatements(query.sql));
  if (statements.count !== 1)
    throw refused(query, `it has ${String(statements.count)} statements, exactly one is allowed`);
  const statement = await guarded(query, () => statements.prepare(0));
  if (statement.statementType !== StatementType.SELECT) throw refused(query, 'it is not a SELECT');
  if (statement.parameterCount > 0) throw refused(query, 'it has parameters');
  return statement;
}

/** json_serialize_sql parses without binding, and takes SELECT statements only. */
async function refuseUnlessSelect(connection: DuckDBConnection, query: Query): Promise<void> {
  const reader = await guarded(query, () =>
    connection.runAndReadAll(
      `SELECT parsed->>'error', parsed->>'error_type', json_array_length(parsed->'statements')
         FROM (SELECT json_serialize_sql($1::VARCHAR) AS parsed)`,
      [query.sql],
    ),
  );
  const [error, kind, statements] = reader.getRows()[0] ?? [];
  if (error === 'true' && kind === 'parser') throw failed(query, 'Parser Error');
  if (error !== 'false') throw refused(query, 'it is not one SELECT');
  if (Number(statements) !== 1) throw refused(query, `it has ${String(statements)} statements, exactly one is allowed`);
}

function refused(query: Query, why: string): DataSetError {
  return new DataSetError('dataset/query-refused', `the query of data set ${query.name}: ${why}.`);
}

/** DuckDB's kinds of error that are about the query's text; all others may quote the files. */
const ABOUT: ReadonlyMap<string, string> = new Map([
  ['Parser Error', 'it is not valid SQL'],
  ['Binder Error', 'it names a column or function that is not there, or has operands of the wrong type'],
  ['Catalog Error', 'it names a table or function that is not there'],
  ['IO Error', 'a file it names cannot be read'],
  ['Conversion Error', 'a value cannot be converted to the type that the query asks for'],
  ['Invalid Input Error', 'a file cannot be read in the format that the query asks for'],
  ['Out of Memory Error', `it needs more than ${String(MEMORY_MIB)} MiB of memory`],
]);

async function guarded<T>(query: Query, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    if (cause instanceof DataSetError) throw cause;
    const kind = /^[A-Za-z ]+ Error/.exec(cause instanceof Error ? cause.message : '')?.[0] ?? 'error';
    if (kind === 'Permission Error')
      throw new DataSetError('dataset/outside', `the query of data set ${query.name} was stopped.`);
    // The cause is not passed on: its text may quote lines of a file.
    throw failed(query, kind);
  }
}

function failed(query: Query, kind: string): DataSetError {
  return new DataSetError(
    'dataset/query-failed',
    `the query of data set ${query.name}: ${ABOUT.get(kind) ?? 'it failed'} (${kind}).`,
  );
}

// Where a data set comes from: files through DuckDB, a PostgreSQL server, or arrays of NumPy; with pictures beside the rows of a query.

import type { Units } from './columns.js';
import { withArrays, type ArraySource } from './arrays.js';
import { withQuery } from './engine.js';
import { withImages, type ImageColumns } from './images.js';
import { withPostgres, type PostgresPlace } from './postgres.js';
import type { RowStream } from './rows.js';

interface Common {
  /** As in the agent's configuration. */
  readonly name: string;
  /** Units of its columns, where the configuration says them: compared with those that a job declares. */
  readonly units?: Units | undefined;
  /** MiB of records held in memory; LIMITS.recordsMiB unless given. */
  readonly memoryMiB?: number | undefined;
}

interface Queried extends Common {
  /** Exactly one SELECT. */
  readonly query: string;
  readonly images?: ImageColumns | undefined;
}

export interface FileSource extends Queried {
  /** The only places on disk that the query may read, with everything below them. Symbolic links that lead elsewhere are refused. */
  readonly directories: readonly string[];
}

export interface DatabaseSource extends Queried {
  readonly postgres: PostgresPlace;
}

export interface ArraysSource extends Common {
  readonly arrays: readonly ArraySource[];
}

export type DataSetSource = FileSource | DatabaseSource | ArraysSource;

/** Lends the rows to `use`, in the order in which the source gives them. Throws DataSetError. */
export async function withRows<T>(source: DataSetSource, use: (rows: RowStream) => Promise<T>): Promise<T> {
  const { name } = source;
  if ('arrays' in source) return withArrays(name, source.arrays, use);
  const { query: sql, images } = source;
  const seen = async (rows: RowStream): Promise<T> =>
    use(images === undefined ? rows : await withImages(name, rows, images));
  if ('postgres' in source) return withPostgres({ name, sql, place: source.postgres }, seen);
  return withQuery({ name, sql, directories: source.directories }, seen);
}

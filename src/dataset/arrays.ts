// Arrays of NumPy as a source: the first axis of each counts records, so all have the same length there; what lies behind it becomes
// columns. A .npy file is read as it streams; a .npz archive is held as it is packed, and unpacked array by array.

import { open, type FileHandle } from 'node:fs/promises';
import { resolve } from 'node:path';
import { readSmallFile } from '../system/index.js';
import { DataSetError } from './errors.js';
import { npyHeader, NPY_HEAD_BYTES, valuesIn, type NpyHeader } from './npy.js';
import { npzFiles } from './npz.js';
import type { RowBatch, RowColumn, RowStream } from './rows.js';

export interface ArraySource {
  /** `.npy` or `.npz`. */
  readonly file: string;
  /** In a .npz archive, which one. */
  readonly array?: string | undefined;
  /** Name of its column; of its columns x0, x1, … where a record has more than one value. */
  readonly as: string;
}

/** Bytes of values read at once from each array. */
const BATCH_BYTES = 4 * 1024 ** 2;
const BATCH_ROWS = 4096;
/** Bytes of a .npz archive; larger arrays are saved as .npy. */
const ARCHIVE_BYTES = 2 * 1024 ** 3 - 1;

/** Lends the rows of the arrays to `use`. Throws DataSetError `dataset/bad-file`, SystemError `system/…`. */
export async function withArrays<T>(
  name: string,
  sources: readonly ArraySource[],
  use: (rows: RowStream) => Promise<T>,
): Promise<T> {
  const arrays: OpenArray[] = [];
  const archives = new Map<string, Map<string, () => Uint8Array>>();
  try {
    for (const source of sources) arrays.push(await openArray(source, archives));
    return await use(streamOf(name, arrays));
  } finally {
    for (const array of arrays) await array.close();
  }
}

interface OpenArray {
  readonly as: string;
  readonly header: NpyHeader;
  /** Values of one record. */
  readonly width: number;
  readonly bytes: (from: number, length: number) => Promise<Uint8Array>;
  readonly close: () => Promise<void>;
}

async function openArray(
  { file, array, as }: ArraySource,
  archives: Map<string, Map<string, () => Uint8Array>>,
): Promise<OpenArray> {
  if (!file.endsWith('.npz')) return openFile(file, as);
  const path = resolve(file);
  const files = archives.get(path) ?? npzFiles(file, await readSmallFile(path, ARCHIVE_BYTES));
  archives.set(path, files);
  // An archive of one needs no name.
  const content = array === undefined && files.size === 1 ? [...files.values()][0] : files.get(array ?? '');
  if (content === undefined)
    throw new DataSetError(
      'dataset/bad-file',
      `${file} has no array ${JSON.stringify(array ?? '')}; it has ${[...files.keys()].join(', ') || 'none'}.`,
    );
  const bytes = content();
  const header = npyHeader(file, bytes, bytes.length);
  return {
    as,
    header,
    width: widthOf(file, header),
    bytes: (from, length) => Promise.resolve(bytes.subarray(from, from + length)),
    close: () => Promise.resolve(),
  };
}

async function openFile(file: string, as: string): Promise<OpenArray> {
  const handle = await opened(file);
  try {
    const { size } = await handle.stat();
    const header = npyHeader(file, await read(handle, 0, Math.min(size, NPY_HEAD_BYTES)), size);
    return {
      as,
      header,
      width: widthOf(file, header),
      bytes: (from, length) => read(handle, from, length),
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function opened(file: string): Promise<FileHandle> {
  try {
    return await open(file, 'r');
  } catch {
    throw new DataSetError('dataset/bad-file', `${file} cannot be opened.`);
  }
}

async function read(handle: FileHandle, from: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  const { bytesRead } = await handle.read(bytes, 0, length, from);
  if (bytesRead !== length) throw new DataSetError('dataset/bad-file', 'an array became shorter while it was read.');
  return bytes;
}

function widthOf(file: string, { shape }: NpyHeader): number {
  if (shape.length === 0) throw new DataSetError('dataset/bad-file', `${file} holds one number, not an array.`);
  return shape.slice(1).reduce((product, extent) => product * extent, 1);
}

function streamOf(name: string, arrays: readonly OpenArray[]): RowStream {
  const rows = arrays[0]?.header.shape[0] ?? 0;
  if (arrays.some(({ header }) => header.shape[0] !== rows))
    throw new DataSetError(
      'dataset/bad-file',
      `data set ${name}: its arrays have ${arrays.map(({ as, header }) => `${String(header.shape[0])} (${as})`).join(', ')} records.`,
    );
  const places = arrays.flatMap((array) =>
    Array.from({ length: array.width }, (_, value) => ({ array, value, name: nameOf(array, value) })),
  );
  const columns = places.map((place): RowColumn => {
    return { name: place.name, type: 'array', numeric: true, categorical: true };
  });
  const rowBytes = Math.max(1, ...arrays.map(({ header, width }) => header.size * width));
  const most = Math.max(1, Math.min(BATCH_ROWS, Math.floor(BATCH_BYTES / rowBytes)));
  let from = 0;
  const next = async (): Promise<RowBatch | undefined> => {
    const count = Math.min(most, rows - from);
    if (count === 0) return undefined;
    const valuesAt = new Map<OpenArray, (index: number) => number>();
    for (const array of arrays) {
      const { start, size } = array.header;
      const bytes = await array.bytes(start + from * array.width * size, count * array.width * size);
      valuesAt.set(array, valuesIn(array.header, bytes));
    }
    from += count;
    return {
      rows: count,
      valuesOf: (column) => {
        // Of the columns above, whose arrays have all been read.
        const { array, value } = places[column] as (typeof places)[number];
        const valueAt = valuesAt.get(array) as (index: number) => number;
        const { width } = array;
        return (row) => valueAt(row * width + value);
      },
    };
  };
  return { columns, next };
}

function nameOf({ as, width }: OpenArray, value: number): string {
  return width === 1 ? as : `${as}${String(value)}`;
}

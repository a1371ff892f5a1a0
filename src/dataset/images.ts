// Pictures named by a column of a query: each becomes as many columns as it has values, colour by colour and row by row, from 0 to 1, as
// torchvision's ToTensor gives them. PNG only. A picture that is none of the promised size is a broken rule of its row.

import { readFile, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { LIMITS } from '../base/index.js';
import { DataSetError } from './errors.js';
import type { RowBatch, RowColumn, RowFault, RowStream } from './rows.js';

export interface ImageColumns {
  /** Of the query; holds the path of each record's picture, absolute or relative to `folder`. */
  readonly column: string;
  /** Pictures lie in it or below. Links that lead elsewhere are refused. */
  readonly folder: string;
  /** Name of the columns: `pixel` gives pixel0, pixel1, … */
  readonly as: string;
  readonly width: number;
  readonly height: number;
  /** 1 for grey, 3 for red, green and blue. Transparency is left out. */
  readonly colours: 1 | 3;
}

type Picture = Float32Array | RowFault | null;

/** Adds the columns of the pictures to those of `rows`. Throws DataSetError `dataset/missing-column`, `dataset/outside`. */
export async function withImages(name: string, rows: RowStream, images: ImageColumns): Promise<RowStream> {
  const { column, folder, as, width, height, colours } = images;
  const at = rows.columns.findIndex((one) => one.name === column);
  if (at < 0) throw new DataSetError('dataset/missing-column', `data set ${name} has no column ${column} of pictures.`);
  const values = width * height * colours;
  const own = rows.columns.length;
  const root = await realpath(folder).catch(() => folder);
  const pixels = Array.from({ length: values }, (_, i): RowColumn => {
    return { name: `${as}${String(i)}`, type: 'PNG', numeric: true, categorical: false };
  });
  const add = async (batch: RowBatch): Promise<RowBatch> => {
    const pathAt = batch.valuesOf(at);
    const pictures: Picture[] = [];
    for (let row = 0; row < batch.rows; row++) pictures.push(await pictureAt(name, pathAt(row), root, images));
    const faults = new Map(batch.faults);
    pictures.forEach((picture, row) => {
      if (picture !== null && !(picture instanceof Float32Array)) faults.set(row, picture);
    });
    return {
      rows: batch.rows,
      faults,
      valuesOf: (position) => {
        if (position < own) return batch.valuesOf(position);
        return (row) => {
          const picture = pictures[row];
          return picture instanceof Float32Array ? picture[position - own] : null;
        };
      },
    };
  };
  // A batch of a query may hold thousands of rows; of pictures as many are held as fit into a bound.
  const most = Math.max(1, Math.floor(LIMITS.picturesHeldBytes / (4 * values)));
  return { columns: [...rows.columns, ...pixels], next: inParts(rows, most, add) };
}

function inParts(
  rows: RowStream,
  most: number,
  add: (part: RowBatch) => Promise<RowBatch>,
): () => Promise<RowBatch | undefined> {
  let batch: RowBatch | undefined;
  let from = 0;
  return async () => {
    if (batch === undefined || from >= batch.rows) {
      batch = await rows.next();
      from = 0;
    }
    if (batch === undefined) return undefined;
    const part = partOf(batch, from, Math.min(most, batch.rows - from));
    from += part.rows;
    return add(part);
  };
}

function partOf(batch: RowBatch, from: number, rows: number): RowBatch {
  const faults = [...(batch.faults ?? [])].map(([row, fault]) => [row - from, fault] as const);
  return {
    rows,
    faults: new Map(faults.filter(([row]) => row >= 0 && row < rows)),
    valuesOf: (column) => {
      const valueAt = batch.valuesOf(column);
      return (row) => valueAt(from + row);
    },
  };
}

async function pictureAt(name: string, path: unknown, root: string, images: ImageColumns): Promise<Picture> {
  if (path === null || path === undefined) return null;
  const fault = (rule: string): RowFault => ({ column: images.column, rule });
  if (typeof path !== 'string') return fault('not the path of a picture');
  const file = await realpath(resolve(root, path)).catch(() => undefined);
  // Before it is said that nothing is there: what is not there outside is nobody's business either.
  if (leadsOut(root, file ?? resolve(root, path)))
    throw new DataSetError('dataset/outside', `data set ${name}: a picture lies outside of ${images.folder}.`);
  if (file === undefined) return fault('no such picture');
  try {
    if ((await stat(file)).size > LIMITS.pictureBytes) return fault('a picture of too many bytes');
    return await decoded(await readFile(file), images, fault);
  } catch {
    return fault('not a picture that can be read (PNG)');
  }
}

function leadsOut(root: string, file: string): boolean {
  const way = relative(join(root, '.'), file);
  return way === '..' || way.startsWith('../') || isAbsolute(way);
}

/** Where the header of a PNG file says width and height. */
const WIDTH_AT = 16;
const HEIGHT_AT = 20;

async function decoded(
  bytes: Buffer,
  { width, height, colours }: ImageColumns,
  fault: (rule: string) => RowFault,
): Promise<Float32Array | RowFault> {
  const { convertIndexedToRgb, decode, hasPngSignature } = await import('fast-png');
  const size = `not a PNG picture of ${String(width)} x ${String(height)}`;
  if (bytes.length < HEIGHT_AT + 4 || !hasPngSignature(bytes)) return fault(size);
  // Before anything is unpacked: a small file can promise a large picture.
  if (bytes.readUInt32BE(WIDTH_AT) !== width || bytes.readUInt32BE(HEIGHT_AT) !== height) return fault(size);
  const png = decode(bytes);
  const { palette } = png;
  const indexed = palette !== undefined;
  const data = indexed
    ? convertIndexedToRgb(png)
    : png.depth < 8
      ? unpacked(png.data, png.depth, width, height)
      : png.data;
  const channels = indexed ? (palette[0]?.length ?? 3) : png.channels;
  // Grey with transparency has 2 channels, colours with it 4.
  if (channels !== colours && channels !== colours + 1)
    return fault(colours === 1 ? 'a picture in colours, not in grey' : 'a picture in grey, not in colours');
  const values = new Float32Array(width * height * colours);
  const largest = indexed ? 255 : 2 ** png.depth - 1;
  for (let pixel = 0; pixel < width * height; pixel++)
    for (let colour = 0; colour < colours; colour++)
      values[colour * width * height + pixel] = (data[pixel * channels + colour] ?? 0) / largest;
  return values;
}

/** Grey values of 1, 2 or 4 bits: several in a byte, each line beginning with a byte of its own. */
function unpacked(data: ArrayLike<number>, depth: number, width: number, height: number): Uint8Array {
  const line = Math.ceil((width * depth) / 8);
  const values = new Uint8Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const bit = x * depth;
      const byte = data[y * line + (bit >> 3)] ?? 0;
      values[y * width + x] = (byte >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
    }
  return values;
}

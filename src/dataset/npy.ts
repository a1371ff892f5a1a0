// NumPy's .npy: one array, its header a Python dictionary in text (format versions 1.0 to 3.0). In C order, as float32.

import { DataSetError } from './errors.js';

export interface NpyArray {
  readonly shape: readonly number[];
  /** Row-major. Integers and float64 are rounded to float32. */
  readonly values: Float32Array;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** Longest header: NumPy itself writes less than 200 bytes unless an array has fields, which are refused. */
const HEADER_MAX = 64 * 1024;
/** As much of a file as its header can be. */
export const NPY_HEAD_BYTES = 12 + HEADER_MAX;
/** Axes: NumPy's own limit. */
const AXES_MAX = 32;

/** What a header says. */
export interface NpyHeader {
  readonly shape: readonly number[];
  /** NumPy's name. */
  readonly type: string;
  /** Where the values begin. */
  readonly start: number;
  /** Bytes of one value, and how it is read. */
  readonly size: number;
  readonly read: (view: DataView, at: number) => number;
}

type Reader = NpyHeader['read'];

/** Little-endian and single-byte types; others are refused by name. */
const TYPES: ReadonlyMap<string, readonly [bytes: number, read: Reader]> = new Map<string, readonly [number, Reader]>([
  ['|b1', [1, (view, at) => view.getUint8(at)]],
  ['|u1', [1, (view, at) => view.getUint8(at)]],
  ['|i1', [1, (view, at) => view.getInt8(at)]],
  ['<u2', [2, (view, at) => view.getUint16(at, true)]],
  ['<i2', [2, (view, at) => view.getInt16(at, true)]],
  ['<u4', [4, (view, at) => view.getUint32(at, true)]],
  ['<i4', [4, (view, at) => view.getInt32(at, true)]],
  ['<i8', [8, (view, at) => Number(view.getBigInt64(at, true))]],
  ['<u8', [8, (view, at) => Number(view.getBigUint64(at, true))]],
  ['<f4', [4, (view, at) => view.getFloat32(at, true)]],
  ['<f8', [8, (view, at) => view.getFloat64(at, true)]],
]);

/** `name`: for messages. Throws DataSetError `dataset/bad-file`. */
export function parseNpy(name: string, bytes: Uint8Array): NpyArray {
  const { shape, start, size, read } = npyHeader(name, bytes, bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float32Array(countOf(shape));
  for (let i = 0; i < values.length; i++) values[i] = read(view, start + i * size);
  return { shape, values };
}

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** The values in a piece of an array by their index in it. Float32 and float64 lie as this machine has them wherever it can. */
export function valuesIn({ type, size, read }: NpyHeader, bytes: Uint8Array): (index: number) => number {
  const { buffer, byteOffset, byteLength } = bytes;
  const length = Math.floor(byteLength / size);
  if (LITTLE_ENDIAN && byteOffset % size === 0 && (type === '<f4' || type === '<f8')) {
    const values =
      type === '<f4' ? new Float32Array(buffer, byteOffset, length) : new Float64Array(buffer, byteOffset, length);
    // Whoever asks knows how many there are.
    return (index) => values[index] as number;
  }
  const view = new DataView(buffer, byteOffset, byteLength);
  return (index) => read(view, index * size);
}

/** `head`: the beginning of a file of `fileBytes`, NPY_HEAD_BYTES or all of it. Throws as `parseNpy`. */
export function npyHeader(name: string, head: Uint8Array, fileBytes: number): NpyHeader {
  const bad = (what: string): DataSetError =>
    new DataSetError('dataset/bad-file', `${name} is no .npy array: ${what}.`);
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (head.length < 10 || !MAGIC.every((byte, i) => head[i] === byte)) throw bad('it does not begin as one');
  const wide = (head[6] ?? 0) >= 2;
  if (wide && head.length < 12) throw bad('it ends in its header');
  const from = wide ? 12 : 10;
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  if (length > HEADER_MAX || from + length > head.length) throw bad('its header is longer than the file or 64 KiB');
  const { type, shape } = parseHeader(new TextDecoder('latin1').decode(head.subarray(from, from + length)), bad);
  const known = TYPES.get(type);
  if (known === undefined)
    throw bad(`values of type ${JSON.stringify(type)}; integers, float32, float64 and bool are read`);
  const [size, read] = known;
  const start = from + length;
  const needed = countOf(shape) * size;
  if (start + needed !== fileBytes)
    throw bad(`its shape needs ${String(needed)} bytes of values, it has ${String(fileBytes - start)}`);
  return { shape, type, start, size, read };
}

function countOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

function parseHeader(header: string, bad: (what: string) => DataSetError): { type: string; shape: number[] } {
  const type = /'descr':\s*'([^']{1,20})'/.exec(header)?.[1];
  const fortran = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const axes = /'shape':\s*\(([0-9, ]*)\)/.exec(header)?.[1];
  if (type === undefined || axes === undefined || fortran === undefined)
    throw bad('its header names no plain type, order and shape');
  const shape = axes
    .split(',')
    .map((extent) => extent.trim())
    .filter((extent) => extent !== '')
    .map(Number);
  if (shape.length > AXES_MAX || !shape.every((extent) => Number.isSafeInteger(extent)))
    throw bad('its shape is not one of whole numbers');
  if (fortran === 'True' && shape.length > 1) throw bad('it is in Fortran order; save it in C order');
  return { type, shape };
}

// NumPy's files, as NumPy writes them and damaged.

import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { concat, utf8 } from '../../../src/base/index.js';
import { parseNpy, parseNpz } from '../../../src/dataset/index.js';

/** As numpy.save writes it, format 1.0. */
function npy(type: string, shape: string, values: Uint8Array, order = 'False'): Uint8Array {
  const text = `{'descr': '${type}', 'fortran_order': ${order}, 'shape': ${shape}, }`.padEnd(117) + '\n';
  return concat(Uint8Array.of(0x93, ...utf8('NUMPY'), 1, 0, text.length & 255, text.length >> 8), utf8(text), values);
}

const bytesOf = (values: { readonly buffer: ArrayBufferLike }): Uint8Array => new Uint8Array(values.buffer);

const u16 = (n: number): number[] => [n & 255, n >> 8];
const u32 = (n: number): number[] => [...u16(n & 0xffff), ...u16(n >>> 16)];

/** A zip archive without checksums, which nobody reads. */
function zip(files: Record<string, Uint8Array>, claim = (size: number): number => size): Uint8Array {
  let body: Uint8Array = new Uint8Array();
  let directory: Uint8Array = new Uint8Array();
  for (const [name, content] of Object.entries(files)) {
    const packed = deflateRawSync(content);
    const facts = [
      ...u16(8),
      ...u32(0),
      ...u32(0),
      ...u32(packed.length),
      ...u32(claim(content.length)),
      ...u16(name.length),
    ];
    const local = concat(Uint8Array.of(...u32(0x04034b50), 20, 0, 0, 0, ...facts, 0, 0), utf8(name), packed);
    const entry = [...u32(0x02014b50), 20, 0, 20, 0, 0, 0, ...facts, ...Array<number>(12).fill(0), ...u32(body.length)];
    directory = concat(directory, Uint8Array.of(...entry), utf8(name));
    body = concat(body, local);
  }
  const count = u16(Object.keys(files).length);
  const end = [...u32(0x06054b50), 0, 0, 0, 0, ...count, ...count, ...u32(directory.length), ...u32(body.length), 0, 0];
  return concat(body, directory, Uint8Array.of(...end));
}

describe('a .npy file', () => {
  it.each<[string, Uint8Array, number[]]>([
    ['<f4', bytesOf(Float32Array.of(1.5, -2)), [1.5, -2]],
    ['<f8', bytesOf(Float64Array.of(0.25, 3)), [0.25, 3]],
    ['<i8', bytesOf(BigInt64Array.of(-1n, 7n)), [-1, 7]],
    ['<u2', bytesOf(Uint16Array.of(65_535, 1)), [65_535, 1]],
    ['|u1', Uint8Array.of(255, 0), [255, 0]],
    ['|b1', Uint8Array.of(1, 0), [1, 0]],
  ])('of %s is read as numbers', (type, values, expected) => {
    const array = parseNpy('x.npy', npy(type, '(2,)', values));
    expect(array.shape).toEqual([2]);
    expect([...array.values]).toEqual(expected);
  });

  it('has several axes, or none', () => {
    expect(parseNpy('x', npy('|u1', '(2, 1, 3)', new Uint8Array(6))).shape).toEqual([2, 1, 3]);
    expect(parseNpy('x', npy('|u1', '()', Uint8Array.of(9)))).toEqual({ shape: [], values: Float32Array.of(9) });
  });

  it.each<[string, Uint8Array]>([
    ['that is something else', utf8('id,age\n1,63\n')],
    ['that is cut off', npy('<f4', '(2,)', new Uint8Array(7))],
    ['with more values than its shape', npy('<f4', '(2,)', new Uint8Array(12))],
    ['of objects', npy('|O', '(1,)', new Uint8Array(8))],
    ['in big-endian order', npy('>f4', '(1,)', new Uint8Array(4))],
    ['in Fortran order', npy('|u1', '(2, 2)', new Uint8Array(4), 'True')],
    ['of a negative shape', npy('|u1', '(-1,)', new Uint8Array(1))],
    ['whose header ends nowhere', Uint8Array.of(0x93, ...utf8('NUMPY'), 1, 0, 255, 255)],
  ])('%s is refused', (_what, bytes) => {
    expect(() => parseNpy('x.npy', bytes)).toThrow(expect.objectContaining({ code: 'dataset/bad-file' }));
  });
});

describe('a .npz archive', () => {
  const labels = npy('|u1', '(3,)', Uint8Array.of(1, 0, 1));

  it('gives its arrays by name, and nothing of other files', () => {
    const arrays = parseNpz('x.npz', zip({ 'labels.npy': labels, 'readme.txt': utf8('hello') }));
    expect([...arrays.keys()]).toEqual(['labels']);
    expect([...arrays.get('labels')!.values]).toEqual([1, 0, 1]);
  });

  it.each<[string, Uint8Array]>([
    ['that is no archive', utf8('nothing of the kind, and longer than the end of one')],
    ['that is cut off', zip({ 'labels.npy': labels }).subarray(20)],
    ['whose file unpacks to more than it says', zip({ 'labels.npy': labels }, (size) => size - 1)],
    ['whose file unpacks to less than it says', zip({ 'labels.npy': labels }, (size) => size + 1)],
    ['that holds a damaged array', zip({ 'labels.npy': labels.subarray(0, 50) })],
  ])('%s is refused', (_what, bytes) => {
    expect(() => parseNpz('x.npz', bytes)).toThrow(expect.objectContaining({ code: 'dataset/bad-file' }));
  });
});

// NumPy's files, as NumPy writes them and damaged.

import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../src/base/index.js';
import { parseNpy, parseNpz } from '../../../src/dataset/index.js';
import { npyText as npy, zip } from '../../support/numpy.js';

const bytesOf = (values: { readonly buffer: ArrayBufferLike }): Uint8Array => new Uint8Array(values.buffer);

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
    ['whose file unpacks to more than it says', zip({ 'labels.npy': labels }, { claim: (size) => size - 1 })],
    ['whose file unpacks to less than it says', zip({ 'labels.npy': labels }, { claim: (size) => size + 1 })],
    ['that holds a damaged array', zip({ 'labels.npy': labels.subarray(0, 50) })],
  ])('%s is refused', (_what, bytes) => {
    expect(() => parseNpz('x.npz', bytes)).toThrow(expect.objectContaining({ code: 'dataset/bad-file' }));
  });
});

// Arrays of NumPy as a source of records: columns by position, several arrays side by side, and what does not fit.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkDataSet, readDataSet } from '../../../src/dataset/index.js';
import type { Contract } from '../../../src/job/index.js';
import { held } from '../../support/held.js';
import { npy, zip } from '../../support/numpy.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const contract: Contract = {
  dataSet: 'xray',
  features: Array.from({ length: 4 }, (_, i) => ({ column: `pixel${i}`, minimum: 0, maximum: 255, unit: '' })),
  target: { kind: 'binary', column: 'sick' },
  missing: 'refuse',
  minRows: 1,
  maxRows: 1_000_000,
};

const images = npy(
  '|u1',
  [3, 2, 2],
  Uint8Array.from({ length: 12 }, (_, i) => i),
);
const labels = npy('|u1', [3, 1], Uint8Array.of(1, 0, 1));

function files(content: Readonly<Record<string, Uint8Array>>): (name: string) => string {
  const folder = temporaryFolder();
  for (const [name, bytes] of Object.entries(content)) writeFileSync(join(folder, name), bytes);
  return (name) => join(folder, name);
}

describe('arrays', () => {
  it.each(['stored', 'deflated'] as const)('are read from an archive, %s', async (packing) => {
    const at = files({ 'all.npz': zip({ 'x.npy': images, 'y.npy': labels }, { packing }) });
    const arrays = [
      { file: at('all.npz'), array: 'x', as: 'pixel' },
      { file: at('all.npz'), array: 'y', as: 'sick' },
    ];
    const { rows, features, targets } = await readDataSet({ name: 'xray', arrays }, contract);
    expect({ rows, targets: [...targets] }).toEqual({ rows: 3, targets: [1, 0, 1] });
    expect([...held(features)]).toEqual(Array.from({ length: 12 }, (_, i) => i));
  });

  it('are read from files of their own, in pieces, and give the same', async () => {
    const rows = 10_000;
    const values = Float64Array.from({ length: 4 * rows }, (_, i) => i % 251);
    const at = files({
      'x.npy': npy('<f8', [rows, 4], new Uint8Array(values.buffer)),
      'y.npy': npy('|b1', [rows], new Uint8Array(rows)),
    });
    const arrays = [
      { file: at('x.npy'), as: 'pixel' },
      { file: at('y.npy'), as: 'sick' },
    ];
    const read = await readDataSet({ name: 'xray', arrays }, contract);
    expect(read.rows).toBe(rows);
    expect(held(read.features)).toEqual(Float32Array.from(values));
  });

  it.each([
    [
      'of different lengths',
      { 'x.npy': images, 'y.npy': npy('|u1', [2], new Uint8Array(2)) },
      /3 \(pixel\), 2 \(sick\)/,
    ],
    ['cut off', { 'x.npy': images.subarray(0, images.length - 1), 'y.npy': labels }, /needs 12 bytes/],
    ['without an axis', { 'x.npy': images, 'y.npy': npy('|u1', [], new Uint8Array(1)) }, /one number/],
    ['that are not there', { 'x.npy': images }, /cannot be opened/],
  ])('%s are refused', async (_, content, words) => {
    const at = files(content);
    const arrays = [
      { file: at('x.npy'), as: 'pixel' },
      { file: at('y.npy'), as: 'sick' },
    ];
    await expect(readDataSet({ name: 'xray', arrays }, contract)).rejects.toMatchObject({
      code: 'dataset/bad-file',
      message: expect.stringMatching(words) as string,
    });
  });

  it('name the arrays of an archive that lacks the one asked for', async () => {
    const at = files({ 'all.npz': zip({ 'x.npy': images, 'y.npy': labels }, { packing: 'stored' }) });
    const arrays = [{ file: at('all.npz'), array: 'z', as: 'pixel' }];
    await expect(readDataSet({ name: 'xray', arrays }, contract)).rejects.toThrow(/no array "z"; it has x, y/);
  });

  it('are held against a contract by column and row', async () => {
    const at = files({ 'x.npy': images, 'y.npy': npy('|u1', [3], Uint8Array.of(1, 2, 0)) });
    const arrays = [
      { file: at('x.npy'), as: 'pixel' },
      { file: at('y.npy'), as: 'sick' },
    ];
    const narrow = { ...contract, features: contract.features.map((one) => ({ ...one, maximum: 10 })) };
    const { findings } = await checkDataSet({ name: 'xray', arrays }, narrow);
    expect(findings.map(({ column, rows }) => [column, rows])).toEqual([
      ['pixel3', [3]],
      ['sick', [2]],
    ]);
  });
});

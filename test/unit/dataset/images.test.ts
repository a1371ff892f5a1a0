// Pictures named by a query: pixel by pixel, and every kind of picture that is none.

import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encode, type ImageData } from 'fast-png';
import { describe, expect, it } from 'vitest';
import { checkDataSet, readDataSet, type DataSetSource } from '../../../src/dataset/index.js';
import type { Contract } from '../../../src/job/index.js';
import { held } from '../../support/held.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

function contractFor(values: number): Contract {
  return {
    dataSet: 'xray',
    features: Array.from({ length: values }, (_, i) => ({ column: `p${i}`, minimum: 0, maximum: 1, unit: '' })),
    target: { kind: 'binary', column: 'sick' },
    missing: 'refuse',
    minRows: 1,
    maxRows: 100,
  };
}

type Pictures = Readonly<Record<string, ImageData | Uint8Array>>;

/** A folder with pictures by class, a table that names them, and the source over both. */
function source(pictures: Pictures, colours: 1 | 3, table: string): DataSetSource {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'png'));
  for (const [name, picture] of Object.entries(pictures))
    writeFileSync(join(folder, 'png', name), picture instanceof Uint8Array ? picture : encode(picture));
  writeFileSync(join(folder, 'labels.csv'), table);
  return {
    name: 'xray',
    query: `SELECT * FROM '${join(folder, 'labels.csv')}'`,
    directories: [folder],
    images: { column: 'file', folder: join(folder, 'png'), as: 'p', width: 2, height: 2, colours },
  };
}

const grey = (...data: number[]): ImageData => ({
  width: 2,
  height: 2,
  channels: 1,
  depth: 8,
  data: Uint8Array.from(data),
});

describe('pictures', () => {
  it('become columns from 0 to 1, row by row', async () => {
    const from = source(
      { 'a.png': grey(0, 51, 102, 255), 'b.png': grey(255, 0, 0, 0) },
      1,
      'file,sick\na.png,1\nb.png,0\n',
    );
    const { features, targets } = await readDataSet(from, contractFor(4));
    expect([...targets]).toEqual([1, 0]);
    expect(held(features)).toEqual(Float32Array.of(0, 0.2, 0.4, 1, 1, 0, 0, 0));
  });

  it('in colours come colour by colour, without transparency', async () => {
    const data = Uint8Array.of(255, 0, 51, 9, 0, 255, 51, 9, 0, 0, 51, 9, 255, 255, 51, 9);
    const from = source({ 'a.png': { width: 2, height: 2, channels: 4, depth: 8, data } }, 3, 'file,sick\na.png,1\n');
    const { features } = await readDataSet(from, contractFor(12));
    expect(held(features)).toEqual(Float32Array.of(1, 0, 0, 1, 0, 1, 0, 1, 0.2, 0.2, 0.2, 0.2));
  });

  it('of sixteen bits keep them', async () => {
    const data = Uint16Array.of(0, 13_107, 65_535, 1);
    const from = source({ 'a.png': { width: 2, height: 2, channels: 1, depth: 16, data } }, 1, 'file,sick\na.png,1\n');
    const { features } = await readDataSet(from, contractFor(4));
    expect(held(features)).toEqual(Float32Array.of(0, 0.2, 1, 1 / 65_535));
  });

  it('of one bit are unpacked', async () => {
    const data = Uint8Array.of(0b01_000000, 0b10_000000);
    const from = source({ 'a.png': { width: 2, height: 2, channels: 1, depth: 1, data } }, 1, 'file,sick\na.png,1\n');
    const { features } = await readDataSet(from, contractFor(4));
    expect([...held(features)]).toEqual([0, 1, 1, 0]);
  });

  it('of a folder with one folder for each class are named by a query', async () => {
    const folder = temporaryFolder();
    for (const [name, picture] of [
      ['ill/a.png', grey(255, 255, 255, 255)],
      ['well/b.png', grey(0, 0, 0, 0)],
    ] as const) {
      mkdirSync(join(folder, name.split('/')[0]!), { recursive: true });
      writeFileSync(join(folder, name), encode(picture));
    }
    const from: DataSetSource = {
      name: 'xray',
      query: `SELECT file, file LIKE '%/ill/%' AS sick FROM glob('${folder}/*/*.png') ORDER BY file`,
      directories: [folder],
      images: { column: 'file', folder, as: 'p', width: 2, height: 2, colours: 1 },
    };
    const { features, targets } = await readDataSet(from, contractFor(4));
    expect([[...held(features)], [...targets]]).toEqual([
      [1, 1, 1, 1, 0, 0, 0, 0],
      [1, 0],
    ]);
  });

  it('that cannot be read are named by row and column, each with its own words', async () => {
    const large = { width: 3, height: 2, channels: 1, depth: 8, data: new Uint8Array(6) } as const;
    const colours = { width: 2, height: 2, channels: 3, depth: 8, data: new Uint8Array(12) } as const;
    const cut = encode(grey(1, 2, 3, 4)).subarray(0, 45);
    const from = source(
      {
        'good.png': grey(1, 2, 3, 4),
        'large.png': large,
        'rgb.png': colours,
        'cut.png': cut,
        'no.png': Buffer.from('x'),
      },
      1,
      'file,sick\ngood.png,1\nlarge.png,1\nrgb.png,1\ncut.png,1\nno.png,1\nabsent.png,1\n',
    );
    const { findings, broken } = await checkDataSet(from, contractFor(4));
    expect(broken).toBe(5);
    expect(findings.map(({ column, problem, rows }) => [column, problem, rows])).toEqual([
      ['file', 'not a PNG picture of 2 x 2', [2, 5]],
      ['file', 'a picture in colours, not in grey', [3]],
      ['file', 'not a picture that can be read (PNG)', [4]],
      ['file', 'no such picture', [6]],
    ]);
    await expect(readDataSet(from, contractFor(4))).rejects.toMatchObject({ code: 'dataset/bad-values' });
  });

  it('that a record lacks are missing values', async () => {
    const from = source({ 'a.png': grey(1, 2, 3, 4) }, 1, 'file,sick\na.png,1\n,0\n');
    const { rows, droppedRows } = await readDataSet(from, { ...contractFor(4), missing: 'drop-row' });
    expect({ rows, droppedRows }).toEqual({ rows: 1, droppedRows: 1 });
  });

  it.each(['../secret.png', 'link.png', '/etc/passwd'])('outside of their folder are refused: %s', async (path) => {
    const from = source({ 'a.png': grey(1, 2, 3, 4) }, 1, `file,sick\n${path},1\n`);
    const { folder } = (from as { images: { folder: string } }).images;
    writeFileSync(join(folder, '..', 'secret.png'), encode(grey(1, 2, 3, 4)));
    symlinkSync(join(folder, '..', 'secret.png'), join(folder, 'link.png'));
    await expect(readDataSet(from, contractFor(4))).rejects.toMatchObject({ code: 'dataset/outside' });
  });

  it('need the column that names them', async () => {
    const from = source({ 'a.png': grey(1, 2, 3, 4) }, 1, 'path,sick\na.png,1\n');
    await expect(readDataSet(from, contractFor(4))).rejects.toMatchObject({ code: 'dataset/missing-column' });
  });
});

// Preparation of the heart centres, on invented rows: the real files are not part of the repository.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseCsv } from '../../../tools/demo/csv.js';
import {
  HEART_CENTRES,
  HEART_HEADER,
  prepareCentre,
  prepareHeart,
  splitCentre,
  writeHeart,
} from '../../../tools/demo/heart.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const RAW = 'age,sex,cp,trestbps,chol,fbs,restecg,thalach,exang,oldpeak,slope,ca,thal,num'.split(',');
const prepare = (...lines: string[]) => prepareCentre(parseCsv(lines.join('\n'), RAW));

/** `rows` rows without meaning, every third of them sick. */
const centre = (rows: number): string =>
  Array.from(
    { length: rows },
    (_, i) => `${40 + i},1,${(i % 4) + 1},120,200,0,${i % 3},150,0,.5,?,?,?,${i % 3 === 0 ? 2 : 0}`,
  ).join('\n');

describe('the heart centres', () => {
  it('keep 13 features and a target', () => {
    expect(HEART_HEADER).toEqual(
      'age sex trestbps chol fbs thalach exang oldpeak cp_2 cp_3 cp_4 restecg_1 restecg_2 disease'.split(' '),
    );
  });

  it('write levels as columns without the first, and numbers as numbers', () => {
    const { rows } = prepare(
      '63.0,1.0,1.0,145.0,233.0,1.0,2.0,150.0,0.0,2.3,3.0,0.0,6.0,0',
      '44,0,4,130,209,0,1,127,1,-.5,?,?,?,3',
    );
    expect(rows[0]).toEqual('63 1 145 233 1 150 0 2.3 0 0 0 0 1 0'.split(' '));
    expect(rows[1]).toEqual('44 0 130 209 0 127 1 -0.5 0 0 1 1 0 1'.split(' '));
  });

  it('leave out rows with a missing value, unless it is in a column that is dropped', () => {
    const { rows } = prepare('50,1,2,?,200,0,0,150,0,0,1,0,3,0', '51,1,2,120,200,0,0,150,0,0,?,?,?,0');
    expect(rows.map((row) => row[0])).toEqual(['51']);
  });

  it('refuse a cell that is no number', () => {
    expect(() => prepare('x,1,2,120,200,0,0,150,0,0,1,0,3,0')).toThrow(/neither a number nor/);
  });

  it.each([
    [303, 199],
    [261, 172],
    [46, 30],
    [130, 85],
  ])('split %d rows as published, %d of them for training, with equal shares of the sick', (rows, train) => {
    const table = prepare(centre(rows));
    const split = splitCentre(table, 43);
    expect([split.train.rows.length, split.test.rows.length]).toEqual([train, rows - train]);
    const sick = split.test.rows.filter((row) => row.at(-1) === '1').length;
    expect(Math.abs(sick - (rows - train) / 3)).toBeLessThan(1);
    expect([...split.train.rows, ...split.test.rows].map(String).sort()).toEqual(table.rows.map(String).sort());
    expect(splitCentre(table, 43)).toEqual(split);
    expect(splitCentre(table, 44)).not.toEqual(split);
  });

  it('are read from a folder and written to another', async () => {
    const [from, to] = [temporaryFolder(), temporaryFolder()];
    for (const id of HEART_CENTRES) writeFileSync(join(from, `processed.${id}.data`), centre(30));
    const paths = await writeHeart(to, await prepareHeart(from, 1));
    expect([...paths.keys()]).toEqual(HEART_CENTRES.flatMap((id) => [id, `${id}-test`]));
  });
});

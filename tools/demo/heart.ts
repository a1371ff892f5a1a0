// Prepares the four centres of the UCI Heart Disease data (Cleveland, Budapest, Zurich and Basel, Long Beach) from a folder given at
// run time; the files are not part of this repository. What is kept and how it is split follows Fed-Heart-Disease of FLamby
// (owkin, NeurIPS 2022), so that published results can be compared.

import { join } from 'node:path';
import { readCsv, writeTables, type CsvTable } from './csv.js';
import { apportion, shuffled } from './seeded.js';

export const HEART_CENTRES = ['cleveland', 'hungarian', 'switzerland', 'va'] as const;

export interface HeartCentre {
  readonly id: (typeof HEART_CENTRES)[number];
  readonly train: CsvTable;
  readonly test: CsvTable;
}

export const HEART_TARGET = 'disease';

const RAW = 'age sex cp trestbps chol fbs restecg thalach exang oldpeak slope ca thal num'.split(' ');
/** Mostly missing outside Cleveland. */
const DROPPED = new Set(['slope', 'ca', 'thal']);
/** Written as one 0/1 column for each level but the first. */
const LEVELS: ReadonlyMap<string, readonly number[]> = new Map([
  ['cp', [2, 3, 4]],
  ['restecg', [1, 2]],
]);
const TRAIN_FRACTION = 0.66;

/** The 13 features and the target, in the order of `HEART_HEADER`. Rows with a missing value are left out. */
export function prepareCentre(raw: CsvTable): CsvTable {
  const kept = raw.header.map((name, i) => ({ name, i })).filter(({ name }) => !DROPPED.has(name));
  const complete = raw.rows.filter((row) => kept.every(({ i }) => row[i] !== '?'));
  const rows = complete.map((row) => {
    const numbers = new Map(kept.map(({ name, i }) => [name, numberOf(row[i])]));
    const plain = kept.flatMap(({ name }) => (name === 'num' || LEVELS.has(name) ? [] : [String(numbers.get(name))]));
    const levels = [...LEVELS].flatMap(([name, values]) =>
      values.map((value) => (numbers.get(name) === value ? '1' : '0')),
    );
    return [...plain, ...levels, (numbers.get('num') ?? 0) > 0 ? '1' : '0'];
  });
  return { header: HEART_HEADER, rows };
}

export const HEART_HEADER: readonly string[] = [
  ...RAW.filter((name) => name !== 'num' && !DROPPED.has(name) && !LEVELS.has(name)),
  ...[...LEVELS].flatMap(([name, values]) => values.map((value) => `${name}_${String(value)}`)),
  HEART_TARGET,
];

/** 66 % for training and the rest, rounded up, for the test; both with the centre's own share of the sick. */
export function splitCentre(table: CsvTable, seed: number): { train: CsvTable; test: CsvTable } {
  const target = table.header.length - 1;
  const classes = ['0', '1'].map((label, i) =>
    shuffled(
      table.rows.filter((row) => row[target] === label),
      seed + i,
    ),
  );
  const tested = apportion(
    Math.ceil(table.rows.length * (1 - TRAIN_FRACTION)),
    classes.map(({ length }) => length),
  );
  const part = (pick: (rows: (readonly string[])[], cut: number) => (readonly string[])[], at: number): CsvTable => ({
    header: table.header,
    rows: shuffled(
      classes.flatMap((rows, i) => pick(rows, tested[i] ?? 0)),
      seed + at,
    ),
  });
  return { train: part((rows, cut) => rows.slice(cut), 2), test: part((rows, cut) => rows.slice(0, cut), 3) };
}

/**
 * Reads `processed.<centre>.data` from `directory`. Throws when a file is not there or not as published. `split`: in place of one by
 * `seed`.
 */
export async function prepareHeart(directory: string, seed: number, split = splitCentre): Promise<HeartCentre[]> {
  const centres: HeartCentre[] = [];
  for (const id of HEART_CENTRES) {
    const raw = await readCsv(join(directory, `processed.${id}.data`), RAW);
    centres.push({ id, ...split(prepareCentre(raw), seed) });
  }
  return centres;
}

/** Writes `<centre>.csv` and `<centre>-test.csv`; returns the paths by name. The folder must not be one of the repository. */
export async function writeHeart(directory: string, centres: readonly HeartCentre[]): Promise<Map<string, string>> {
  return writeTables(
    directory,
    new Map(centres.flatMap(({ id, train, test }) => [[id, train] as const, [`${id}-test`, test] as const])),
  );
}

function numberOf(cell: string | undefined): number {
  const value = Number(cell === '' ? NaN : cell);
  if (!Number.isFinite(value)) throw new Error('a cell that is neither a number nor ? in a heart file');
  return value;
}

// Splits one table into hospitals of unequal size and case mix, and a common test part on which local, federated and pooled models
// are compared. Deterministic for a seed. The hospitals are invented: the table comes from one centre.

import { columnIndex, writeTables, type CsvTable } from './csv.js';
import { apportion, shuffled } from './seeded.js';

export interface SplitOptions {
  /** Hospitals, 3 to 20. */
  readonly silos: number;
  readonly seed: number;
  /** Column that holds 0 or 1. */
  readonly target: string;
  /** Part held out for everybody, stratified; 0.25 unless given. */
  readonly testFraction?: number;
  /** Records of either class that each hospital must have; 3 unless given. */
  readonly minimumPerClass?: number;
}

export interface SiloRecords {
  /** `hospital-a` is the largest. */
  readonly id: string;
  readonly table: CsvTable;
}

export interface Split {
  readonly silos: readonly SiloRecords[];
  readonly test: CsvTable;
}

/** The smallest hospital has this part of the largest one's records. Five hospitals: 35, 25, 18, 13 and 9 % of all. */
const SMALLEST_TO_LARGEST = 0.27;
/** Share of positive records against the mean, from the mildest case mix to the most severe. */
const MILDEST = 0.75;
const SEVEREST = 1.35;

/** Throws Error when the options cannot be met. */
export function splitRecords(table: CsvTable, options: SplitOptions): Split {
  const { silos, seed, testFraction = 0.25, minimumPerClass = 3 } = options;
  if (!Number.isInteger(silos) || silos < 3 || silos > 20)
    throw new Error(`a split has 3 to 20 hospitals, not ${String(silos)}`);
  const target = columnIndex(table, options.target);
  const positive = shuffled(
    table.rows.filter((row) => row[target] === '1'),
    seed,
  );
  const negative = shuffled(
    table.rows.filter((row) => row[target] === '0'),
    seed + 1,
  );
  if (positive.length + negative.length !== table.rows.length)
    throw new Error(`column ${options.target} must hold 0 or 1`);
  const testPositive = positive.splice(0, Math.round(positive.length * testFraction));
  const testNegative = negative.splice(0, Math.round(negative.length * testFraction));

  const sizes = apportion(
    positive.length + negative.length,
    Array.from({ length: silos }, (_, i) => SMALLEST_TO_LARGEST ** (i / (silos - 1))),
  );
  const positives = apportion(
    positive.length,
    sizes.map((size, i) => size * severity(i, silos)),
  );
  const tooFew = sizes.findIndex(
    (size, i) => Math.min(positives[i] ?? 0, size - (positives[i] ?? 0)) < minimumPerClass,
  );
  if (tooFew >= 0)
    throw new Error(
      `${String(silos)} hospitals leave ${idOf(tooFew)} with fewer than ${String(minimumPerClass)} records of a class: choose fewer`,
    );
  return {
    silos: sizes.map((size, i) => {
      const sick = positive.splice(0, positives[i]);
      const rows = [...sick, ...negative.splice(0, size - sick.length)];
      return { id: idOf(i), table: { header: table.header, rows: shuffled(rows, seed + 2 + i) } };
    }),
    test: { header: table.header, rows: shuffled([...testPositive, ...testNegative], seed + 2 + silos) },
  };
}

/** Writes `<id>.csv` per hospital and `test.csv`; returns the paths by name. */
export async function writeSplit(directory: string, { silos, test }: Split): Promise<Map<string, string>> {
  return writeTables(directory, new Map([...silos.map(({ id, table }) => [id, table] as const), ['test', test]]));
}

/** Spread over the hospitals in an order that has nothing to do with their size: every second one, then the others. */
function severity(silo: number, silos: number): number {
  const half = Math.ceil(silos / 2);
  const place = silo % 2 === 0 ? silo / 2 : half + (silo - 1) / 2;
  return MILDEST + ((SEVEREST - MILDEST) * place) / (silos - 1);
}

function idOf(silo: number): string {
  return `hospital-${String.fromCharCode('a'.charCodeAt(0) + silo)}`;
}

// Fewer bits a coordinate: federated logistic regression on the example's records, and on those of four real hospitals where they are at
// hand, its updates summed as a round sums them, loses no accuracy at 24, 20 and 16 bits. Positive control: at 5 bits it does. And m where a
// job file does not say it.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { countSegment, realSegment, unitBudget, type Room } from '../../../src/job/budget.js';
import { smallestModulus } from '../../../src/job/modulus.js';
import {
  addWords,
  centreInto,
  dequantise,
  l2Norm,
  lowWords,
  packedBytes,
  packSums,
  packWords,
  quantise,
  reduceInto,
  sumWidth,
  unpackInto,
  unpackWords,
  wideSums,
  type Layout,
} from '../../../src/vector/index.js';
import { Visibility } from '../../../src/wire/index.js';
import { prepareHeart } from '../../../tools/demo/heart.js';
import { roundingWords } from '../../support/sum-of-silos.js';
import { vectorLayout } from '../../support/vector-layout.js';

const ROUNDS = 30;
const CLIP = 1;

interface Row {
  readonly x: readonly number[];
  readonly y: number;
}

/** Records of each silo, and those held back of all. */
interface Records {
  readonly silos: readonly (readonly Row[])[];
  readonly test: readonly Row[];
}

/** Features standardised over all rows, a constant behind them. */
function standardised(rows: readonly (readonly number[])[]): Row[] {
  const last = rows[0]!.length - 1;
  const columns = rows[0]!.slice(0, last).map((_, k) => rows.map((row) => row[k]!));
  const scaled = columns.map((column) => {
    const mean = column.reduce((a, b) => a + b) / column.length;
    const deviation = Math.sqrt(column.reduce((a, b) => a + (b - mean) ** 2, 0) / column.length);
    return column.map((value) => (value - mean) / deviation);
  });
  return rows.map((row, i) => ({ x: [...scaled.map((column) => column[i]!), 1], y: row[last]! }));
}

/** Five silos that share the example's records; every third row is held back. */
function breastCancer(): Records {
  const lines = readFileSync('examples/data/wdbc.csv', 'utf8').trim().split('\n').slice(1);
  const rows = standardised(lines.map((line) => line.split(',').map(Number)));
  const train = rows.filter((_, i) => i % 3 !== 0);
  return {
    silos: Array.from({ length: 5 }, (_, silo) => train.filter((_, i) => i % 5 === silo)),
    test: rows.filter((_, i) => i % 3 === 0),
  };
}

/** Four hospitals, each with its own records. */
async function heart(folder: string): Promise<Records> {
  const centres = await prepareHeart(folder, 1);
  const tables = centres.flatMap(({ train, test }) => [train, test]);
  const all = standardised(tables.flatMap(({ rows }) => rows.map((row) => row.map(Number))));
  let at = 0;
  const parts = tables.map(({ rows }) => all.slice(at, (at += rows.length)));
  return { silos: parts.filter((_, k) => k % 2 === 0), test: parts.filter((_, k) => k % 2 === 1).flat() };
}

const score = (w: readonly number[], x: readonly number[]): number => x.reduce((sum, v, k) => sum + v * w[k]!, 0);

/** A silo's own part: ten steps of gradient descent, and the change cut to CLIP. */
function changeOf(start: readonly number[], own: readonly Row[]): Float32Array {
  const w = [...start];
  for (let step = 0; step < 10; step++) {
    const gradient = w.map(() => 0);
    for (const { x, y } of own) {
      const error = 1 / (1 + Math.exp(-score(w, x))) - y;
      x.forEach((v, k) => (gradient[k]! += (error * v) / own.length));
    }
    gradient.forEach((g, k) => (w[k]! -= 0.3 * g));
  }
  const change = Float32Array.from(w, (value, k) => value - start[k]!);
  const norm = l2Norm(change);
  return norm > CLIP ? change.map((value) => (value * CLIP * 0.999_999) / norm) : change;
}

/** As masked words travel, without the masks: packed to m bits, summed with carry, packed to m + 8, reduced and centred. */
function summed(changes: readonly Float32Array[], layout: Layout, bits: number): Float64Array {
  const sums = wideSums(layout.length);
  changes.forEach((values, seed) => {
    const { values: words } = quantise(layout, [{ name: 'delta', values }], roundingWords(seed + 1));
    reduceInto(words, bits);
    const wire = packWords(words, bits);
    expect(wire).toHaveLength(packedBytes(layout.length, bits));
    addWords(sums, 0, unpackWords(wire, layout.length, bits));
  });
  const served = packSums(sums, 0, layout.length, sumWidth(bits));
  const whole = new Float64Array(layout.length);
  unpackInto(whole, served, sumWidth(bits));
  const opened = lowWords(whole);
  reduceInto(opened, bits);
  centreInto(opened, bits);
  return dequantise(layout.segments[0]!, opened);
}

/** Share of held-back records predicted right after ROUNDS rounds. `bits` undefined: plain sums of doubles. */
function accuracy({ silos, test }: Records, bits: number | undefined): number {
  const length = test[0]!.x.length;
  let w = new Array<number>(length).fill(0);
  for (let round = 0; round < ROUNDS; round++) {
    const changes = silos.map((own) => changeOf(w, own));
    const room = { silos: silos.length, modulusBits: bits ?? 32 };
    const segment = realSegment('delta', length, { kind: 'l2', clip: CLIP }, Visibility.VISIBILITY_PUBLIC, room);
    const sum =
      bits === undefined
        ? Float64Array.from({ length }, (_, k) => changes.reduce((a, change) => a + change[k]!, 0))
        : summed(changes, vectorLayout({ segments: [segment] }), bits);
    w = w.map((value, k) => value + sum[k]! / silos.length);
  }
  return test.filter(({ x, y }) => (score(w, x) > 0 ? 1 : 0) === y).length / test.length;
}

const heartFolder = join(process.env['VEILSUM_DATA'] ?? '../shared/data', 'heart');
/** Not part of the repository: where it is absent, the example's records speak alone. */
const heartRecords = existsSync(join(heartFolder, 'processed.cleveland.data')) ? await heart(heartFolder) : undefined;

describe.each([
  { of: "the example's records", records: breastCancer(), least: 0.95 },
  ...(heartRecords === undefined ? [] : [{ of: 'four heart centres', records: heartRecords, least: 0.75 }]),
])('a modulus of fewer bits, on $of,', ({ records, least }) => {
  const plain = accuracy(records, undefined);

  it.each([32, 24, 20, 16])('costs no accuracy at %i bits', (bits) => {
    expect(plain).toBeGreaterThan(least);
    expect(Math.abs(accuracy(records, bits) - plain)).toBeLessThanOrEqual(1 / records.test.length);
  });

  it('would cost some where nothing is left of the resolution', () => {
    expect(accuracy(records, 5)).toBeLessThan(plain - 2 / records.test.length);
  });
});

describe('m where a job file does not say it', () => {
  const nothing = (): void => undefined;

  it.each([
    [3, 100, 24],
    [5, 100, 25],
    [10, 1_000_000, 26],
    [10, 100_000_000, 26],
    [50, 1_000_000, 28],
    [200, 10_000_000, 30],
  ])('is the fewest bits for %i silos and %i parameters: %i', (silos, parameters, bits) => {
    expect(smallestModulus(silos, parameters, nothing)).toBe(bits);
    const steps = Math.max(2 ** 21, 64 * Math.sqrt(parameters));
    expect(unitBudget({ silos, modulusBits: bits })).toBeGreaterThanOrEqual(steps);
    expect(unitBudget({ silos, modulusBits: bits - 1 })).toBeLessThan(steps);
  });

  it('makes room for counts that need more, and is 32 where nothing else will do', () => {
    const counts = (most: number) => (room: Room) => {
      countSegment('rows', 1, most, Visibility.VISIBILITY_PUBLIC, room);
    };
    expect(smallestModulus(5, 100, counts(10_000))).toBe(25);
    expect(smallestModulus(5, 100, counts(10_000_000))).toBe(27);
    expect(smallestModulus(200, 100, counts(100_000_000))).toBe(32);
  });
});

describe('an upload', () => {
  it('is smaller than float32 by m / 32 exactly, and the sum has 8 bits more a coordinate', () => {
    for (let bits = 16; bits <= 32; bits++)
      for (const d of [8, 800, 100_000, 10_000_000]) {
        expect(packedBytes(d, bits) / (4 * d)).toBe(bits / 32);
        expect(packedBytes(d, sumWidth(bits))).toBe((d * (bits + 8)) / 8);
      }
  });
});

// Fewer bits a coordinate: federated logistic regression on the example's records, its updates summed as a round sums them, loses no
// accuracy at 24, 20 and 16 bits. Positive control: at 5 bits it does.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { realSegment } from '../../../src/job/budget.js';
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
import { roundingWords } from '../../support/sum-of-silos.js';
import { vectorLayout } from '../../support/vector-layout.js';

const SILOS = 5;
const ROUNDS = 30;
const CLIP = 1;

interface Row {
  readonly x: readonly number[];
  readonly y: number;
}

/** Standardised features, a constant, and 1 for malignant. Every third row is held back. */
function records(): { readonly train: readonly Row[]; readonly test: readonly Row[] } {
  const lines = readFileSync('examples/data/wdbc.csv', 'utf8').trim().split('\n').slice(1);
  const table = lines.map((line) => line.split(',').map(Number));
  const last = table[0]!.length - 1;
  const columns = table[0]!.slice(0, last).map((_, k) => table.map((row) => row[k]!));
  const scaled = columns.map((column) => {
    const mean = column.reduce((a, b) => a + b) / column.length;
    const deviation = Math.sqrt(column.reduce((a, b) => a + (b - mean) ** 2, 0) / column.length);
    return column.map((value) => (value - mean) / deviation);
  });
  const rows = table.map((row, i) => ({ x: [...scaled.map((column) => column[i]!), 1], y: row[last]! }));
  return { train: rows.filter((_, i) => i % 3 !== 0), test: rows.filter((_, i) => i % 3 === 0) };
}

const { train, test } = records();
const score = (w: readonly number[], x: readonly number[]): number => x.reduce((sum, v, k) => sum + v * w[k]!, 0);

/** A silo's own part: ten steps of gradient descent, and the change cut to CLIP. */
function changeOf(start: readonly number[], silo: number): Float32Array {
  const own = train.filter((_, i) => i % SILOS === silo);
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
function accuracy(bits: number | undefined): number {
  const length = train[0]!.x.length;
  let w = new Array<number>(length).fill(0);
  for (let round = 0; round < ROUNDS; round++) {
    const changes = Array.from({ length: SILOS }, (_, silo) => changeOf(w, silo));
    const room = { silos: SILOS, modulusBits: bits ?? 32 };
    const segment = realSegment('delta', length, { kind: 'l2', clip: CLIP }, Visibility.VISIBILITY_PUBLIC, room);
    const sum =
      bits === undefined
        ? Float64Array.from({ length }, (_, k) => changes.reduce((a, change) => a + change[k]!, 0))
        : summed(changes, vectorLayout({ segments: [segment] }), bits);
    w = w.map((value, k) => value + sum[k]! / SILOS);
  }
  return test.filter(({ x, y }) => (score(w, x) > 0 ? 1 : 0) === y).length / test.length;
}

describe('a modulus of fewer bits', () => {
  const plain = accuracy(undefined);

  for (const bits of [32, 24, 20, 16])
    it(`of ${bits} costs no accuracy on the example's records`, () => {
      expect(plain).toBeGreaterThan(0.95);
      expect(Math.abs(accuracy(bits) - plain)).toBeLessThanOrEqual(1 / test.length);
    });

  it('would cost some where nothing is left of the resolution', () => {
    expect(accuracy(5)).toBeLessThan(plain - 2 / test.length);
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

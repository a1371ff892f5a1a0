// The two samplers of DP-SGD: noise on a grid of 2^22 units to a standard deviation, and Poisson sampling of units. Moments, chi-square
// against the exact distribution, tails, every bit; and samplers that are slightly wrong, which must fail the same tests.

import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../src/base/index.js';
import { Keystream, sha256 } from '../../../src/crypto/index.js';
import { addNoiseInto, GRID_SIGMA, GridNoise, noiseTable, poissonSample } from '../../../src/privacy/index.js';
import { normalCdf } from '../../../src/privacy/numeric/normal.js';

function stream(name: string): (length: number) => Uint8Array {
  const keystream = new Keystream(sha256(utf8(name)));
  return (length) => keystream.next(length);
}

/** Standardised chi-square of counts against expected ones: about normal, so beyond 5 is a broken sampler. */
function chiSquare(counts: readonly number[], expected: readonly number[]): number {
  const statistic = counts.reduce((sum, count, k) => sum + (count - expected[k]!) ** 2 / expected[k]!, 0);
  return (statistic - (counts.length - 1)) / Math.sqrt(2 * (counts.length - 1));
}

const COUNT = 200_000;
const BINS = 64;

function gridSamples(name: string): Float64Array {
  const values = new Float64Array(COUNT);
  new GridNoise(stream(name)).roundAndAddInto(values, 1);
  return values;
}

/**
 * How far values are from normal ones of this standard deviation, by chi-square over bins of 0.125 of it. A discrete Gaussian of a standard
 * deviation above 4 has the probabilities of the normal distribution between half integers to more digits than a double holds.
 */
function shape(values: ArrayLike<number>, sigma: number): number {
  const edge = (bin: number): number => Math.round(((bin - BINS / 2) / 8) * sigma) - 0.5;
  const counts = new Array<number>(BINS).fill(0);
  for (let i = 0; i < values.length; i++) {
    let bin = Math.min(BINS - 1, Math.max(0, Math.floor((values[i]! / sigma) * 8 + BINS / 2)));
    while (bin > 0 && values[i]! < edge(bin)) bin--;
    while (bin < BINS - 1 && values[i]! > edge(bin + 1)) bin++;
    counts[bin] = counts[bin]! + 1;
  }
  const below = (bin: number): number => (bin === 0 ? 0 : bin === BINS ? 1 : normalCdf(edge(bin) / sigma));
  const expected = counts.map((_, bin) => values.length * (below(bin + 1) - below(bin)));
  return chiSquare(counts, expected);
}

/** How far the rests by `modulus` are from uniform. A discrete Gaussian this wide has them uniform to more digits than a double holds. */
function rests(values: Float64Array, modulus: number): number {
  const counts = new Array<number>(modulus).fill(0);
  for (const value of values) {
    const rest = ((value % modulus) + modulus) % modulus;
    counts[rest] = counts[rest]! + 1;
  }
  return chiSquare(
    counts,
    counts.map(() => values.length / modulus),
  );
}

describe('noise on the grid', () => {
  const values = gridSamples('grid');

  it('has the moments of a Gaussian of 2^22 units', () => {
    const mean = (power: number): number => values.reduce((sum, v) => sum + (v / GRID_SIGMA) ** power / COUNT, 0);
    // Standard deviations of the sample moments: of x^k, sqrt(E x^2k - (E x^k)^2).
    for (const [power, truth, spread] of [
      [1, 0, 1],
      [2, 1, Math.sqrt(2)],
      [3, 0, Math.sqrt(15)],
      [4, 3, Math.sqrt(96)],
    ] as const)
      expect(Math.abs(mean(power) - truth), `moment ${power}`).toBeLessThan((5 * spread) / Math.sqrt(COUNT));
  });

  it('has its distribution, by chi-square, and its tails', () => {
    expect(shape(values, GRID_SIGMA)).toBeLessThan(5);
    for (const sigmas of [3, 3.5, 4]) {
      const expected = 2 * normalCdf(-sigmas) * COUNT;
      const seen = values.filter((value) => Math.abs(value) > sigmas * GRID_SIGMA).length;
      expect(Math.abs(seen - expected)).toBeLessThan(5 * Math.sqrt(expected) + 1);
    }
  });

  it('is made of whole numbers of which every low bit is even chance', () => {
    expect(values.every((value) => Number.isSafeInteger(value))).toBe(true);
    for (const modulus of [2, 3, 256, 2048, 2049, 4096]) expect(rests(values, modulus), `${modulus}`).toBeLessThan(5);
  });

  it('is seen to be wrong where its fine or its coarse part is left out, or its width is two hundredths off', () => {
    const coarse = new Int32Array(COUNT);
    addNoiseInto(coarse, noiseTable({ kind: 'discrete-gaussian', sigma: GRID_SIGMA / 2048 }), stream('coarse'));
    const withoutFine = Float64Array.from(coarse, (value) => 2048 * value);
    expect(shape(withoutFine, GRID_SIGMA)).toBeLessThan(5);
    expect(rests(withoutFine, 256)).toBeGreaterThan(5);
    expect(
      shape(
        values.map((value) => Math.round(1.02 * value)),
        GRID_SIGMA,
      ),
    ).toBeGreaterThan(5);
    const tooFine = new Int32Array(COUNT);
    addNoiseInto(tooFine, noiseTable({ kind: 'discrete-gaussian', sigma: 512 }), stream('too fine'));
    expect(
      rests(
        Float64Array.from(tooFine, (value, i) => value + 4096 * coarse[i]!),
        4096,
      ),
    ).toBeGreaterThan(5);
  });

  it('adds to the value rounded to the nearest unit, the same for the same bytes', () => {
    const unit = 0.25;
    const [zeros, shifted] = [new Float64Array(1000), new Float64Array(1000).fill(7.4 * unit)];
    new GridNoise(stream('same')).roundAndAddInto(zeros, unit);
    new GridNoise(stream('same')).roundAndAddInto(shifted, unit);
    shifted.forEach((value, i) => {
      expect(value - zeros[i]!).toBe(7);
    });
  });
});

describe('a table as wide as those of noise under the mask', () => {
  it('has its distribution, by chi-square', () => {
    for (const [kind, name] of [
      [{ kind: 'discrete-gaussian', sigma: 8192 }, 'wide'],
      // Its fourth moment is 1 / mu from that of a normal distribution, and so its bins are hardly off.
      [{ kind: 'skellam', variance: 8192 ** 2 }, 'wide skellam'],
    ] as const) {
      const values = new Int32Array(COUNT);
      addNoiseInto(values, noiseTable(kind), stream(name));
      expect(shape(values, 8192)).toBeLessThan(5);
      expect(shape(values, 8192 * 0.98)).toBeGreaterThan(5);
    }
  });
});

describe('Poisson sampling', () => {
  const UNITS = 40;
  const Q = 0.3;
  const DRAWS = 20_000;
  const drawn = (sample: () => readonly number[]): { sizes: number[]; units: number[]; pairs: number } => {
    const sizes = new Array<number>(UNITS + 1).fill(0);
    const units = new Array<number>(UNITS).fill(0);
    let pairs = 0;
    for (let k = 0; k < DRAWS; k++) {
      const sampled = sample();
      sizes[sampled.length] = sizes[sampled.length]! + 1;
      sampled.forEach((unit, i) => {
        units[unit] = units[unit]! + 1;
        if (sampled[i + 1] === unit + 1) pairs++;
      });
    }
    return { sizes, units, pairs };
  };
  /** Chi-square of the sample's size against the binomial distribution, sizes expected fewer than ten times in one cell. */
  const sizeTest = (sizes: readonly number[]): number => {
    let probability = (1 - Q) ** UNITS;
    const cells = { counts: [0], expected: [0] };
    for (let size = 0; size <= UNITS; size++) {
      const expected = probability * DRAWS;
      if (expected < 10) {
        cells.counts[0] = cells.counts[0]! + sizes[size]!;
        cells.expected[0] = cells.expected[0]! + expected;
      } else {
        cells.counts.push(sizes[size]!);
        cells.expected.push(expected);
      }
      probability *= ((UNITS - size) / (size + 1)) * (Q / (1 - Q));
    }
    return chiSquare(cells.counts, cells.expected);
  };
  const next = stream('poisson');
  const sampler = drawn(() => poissonSample(UNITS, Q, next));

  it('takes a number of units that is binomial, by chi-square', () => {
    expect(sizeTest(sampler.sizes)).toBeLessThan(5);
  });

  it('takes each unit as often, and neighbours independently', () => {
    const spread = Math.sqrt(DRAWS * Q * (1 - Q));
    for (const count of sampler.units) expect(Math.abs(count - DRAWS * Q)).toBeLessThan(5 * spread);
    const squares = sampler.units.reduce((sum, count) => sum + ((count - DRAWS * Q) / spread) ** 2, 0);
    expect((squares - UNITS) / Math.sqrt(2 * UNITS)).toBeLessThan(5);
    const trials = DRAWS * (UNITS - 1);
    expect(Math.abs(sampler.pairs - trials * Q * Q)).toBeLessThan(10 * Math.sqrt(trials * Q * Q));
  });

  it('is seen to be wrong where it is a batch of fixed size, or takes one more in fifty', () => {
    const bytes = stream('fixed');
    const fixed = drawn(() => {
      const keys = new Uint32Array(bytes(4 * UNITS).slice().buffer);
      const order = [...keys.keys()].sort((a, b) => keys[a]! - keys[b]!);
      return order.slice(0, UNITS * Q).sort((a, b) => a - b);
    });
    expect(sizeTest(fixed.sizes)).toBeGreaterThan(5);
    const more = stream('more');
    expect(sizeTest(drawn(() => poissonSample(UNITS, 1.02 * Q, more)).sizes)).toBeGreaterThan(5);
  });

  it('takes all at 1 and none at 0, and decides at q itself to the last of 53 bits', () => {
    const bytes = (length: number): Uint8Array => new Uint8Array(length).fill(255);
    expect(poissonSample(5, 1, bytes)).toEqual([0, 1, 2, 3, 4]);
    expect(poissonSample(5, 1 - 2 ** -53, bytes)).toEqual([]);
    expect(poissonSample(5, 0, (length) => new Uint8Array(length))).toEqual([]);
    expect(poissonSample(5, 2 ** -53, (length) => new Uint8Array(length))).toEqual([0, 1, 2, 3, 4]);
    // The number 2^52: taken from the next q on, which is one part in 2^53 larger.
    const half = (length: number): Uint8Array => new Uint8Array(length).map((_, i) => (i % 8 === 3 ? 128 : 0));
    expect(poissonSample(2, 0.5, half)).toEqual([]);
    expect(poissonSample(2, 0.5 + 2 ** -53, half)).toEqual([0, 1]);
    expect(poissonSample(0, 0.5, half)).toEqual([]);
  });
});

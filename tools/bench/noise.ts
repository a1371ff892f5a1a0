// What noise costs: a table and a sample for each coordinate. Part of `npm run bench`.

import { Keystream } from '../../src/crypto/index.js';
import {
  addNoiseInto,
  GridNoise,
  noiseTable,
  poissonSample,
  rotateInto,
  rotationFrom,
  type NoiseKind,
} from '../../src/privacy/index.js';
import { fastest } from './measure.js';

export interface NoiseRow {
  readonly noise: string;
  readonly d: number;
  /** Milliseconds to build the table, once for each round. */
  readonly tableMs: number;
  /** Milliseconds for d samples, keystream included. */
  readonly drawMs: number;
}

const CASES: readonly [string, NoiseKind][] = [
  ['Skellam, sigma 100', { kind: 'skellam', variance: 100 ** 2 }],
  ['Skellam, sigma 8192', { kind: 'skellam', variance: 8192 ** 2 }],
  ['discrete Gaussian, sigma 8192', { kind: 'discrete-gaussian', sigma: 8192 }],
];

export function measureNoise(d: number, repeats: number): NoiseRow[] {
  return [...tables(d, repeats), gridRow(d, repeats), sampleRow(d, repeats), rotationRow(d, repeats)];
}

/** Noise on the gradients of DP-SGD: two tables for all jobs, built when the first of them starts. */
function gridRow(d: number, repeats: number): NoiseRow {
  const keystream = new Keystream(new Uint8Array(32).fill(9));
  const before = performance.now();
  const grid = new GridNoise((length) => keystream.next(length));
  const tableMs = performance.now() - before;
  const values = new Float64Array(d).fill(1);
  const { draw } = fastest(
    {
      draw: () => {
        grid.roundAndAddInto(values, 1);
      },
    },
    repeats,
  );
  return { noise: 'discrete Gaussian, sigma 2^22 (DP-SGD)', d, tableMs, drawMs: draw / 1e6 };
}

/** Which of d units take part in one step. */
function sampleRow(d: number, repeats: number): NoiseRow {
  const keystream = new Keystream(new Uint8Array(32).fill(9));
  const { draw } = fastest({ draw: () => void poissonSample(d, 0.01, (length) => keystream.next(length)) }, repeats);
  return { noise: 'Poisson sample, q = 0.01', d, tableMs: 0, drawMs: draw / 1e6 };
}

/** The rotation of a vector before it is rounded, its signs included. */
function rotationRow(d: number, repeats: number): NoiseRow {
  const values = new Float64Array(d).fill(1);
  const { draw } = fastest(
    {
      draw: () => {
        const keystream = new Keystream(new Uint8Array(32).fill(9));
        rotateInto(
          values,
          rotationFrom((length) => keystream.next(length), d),
        );
      },
    },
    repeats,
  );
  return { noise: 'Hadamard rotation, two steps', d, tableMs: 0, drawMs: draw / 1e6 };
}

function tables(d: number, repeats: number): NoiseRow[] {
  return CASES.map(([noise, kind]) => {
    const table = noiseTable(kind);
    const values = new Int32Array(d);
    const keystream = new Keystream(new Uint8Array(32).fill(9));
    const times = fastest(
      {
        table: () => {
          noiseTable(kind);
        },
        draw: () => {
          addNoiseInto(values, table, (length) => keystream.next(length));
        },
      },
      repeats,
    );
    return { noise, d, tableMs: times.table / 1e6, drawMs: times.draw / 1e6 };
  });
}

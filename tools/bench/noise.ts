// What noise costs: a table and a sample for each coordinate. Part of `npm run bench`.

import { Keystream } from '../../src/crypto/index.js';
import { addNoiseInto, noiseTable, type NoiseKind } from '../../src/privacy/index.js';
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

// Many small consortia in which things go wrong, each from its seed. What fails goes into reproduction.test.ts.

import { describe, it } from 'vitest';
import { generate } from './script.js';
import { runAll } from './run-all.js';

const SEEDS = 250;
const BATCH = 50;

describe('a simulated consortium', () => {
  for (let first = 1; first <= SEEDS; first += BATCH)
    it(`keeps every promise under the faults of seeds ${first} to ${first + BATCH - 1}`, { timeout: 600_000 }, () => {
      runAll(first, BATCH, (seed) => generate(seed, 3, 8));
    });
});

// The same with one round of one job among three to five silos: cheap enough for many, and what breaks breaks with few.

import { describe, it } from 'vitest';
import { runAll } from './run-all.js';
import { generate } from './script.js';

const FIRST = 10_001;
const SEEDS = 1_750;
const BATCH = 250;

describe('a small simulated consortium', () => {
  for (let first = FIRST; first < FIRST + SEEDS; first += BATCH)
    it(
      `keeps every promise in one round under the faults of seeds ${first} to ${first + BATCH - 1}`,
      {
        timeout: 600_000,
      },
      () => {
        runAll(first, BATCH, (seed) => ({ ...generate(seed, 3, 5), jobs: 1, rounds: 1 }));
      },
    );
});

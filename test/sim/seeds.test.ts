// Many small consortia in which things go wrong, each from its seed. What fails goes into reproduction.test.ts.

import { describe, it } from 'vitest';
import { generate } from './script.js';
import { Simulation } from './simulation.js';

const SEEDS = 400;
const BATCH = 50;

describe('a simulated consortium', () => {
  for (let first = 1; first <= SEEDS; first += BATCH)
    it(`keeps every promise under the faults of seeds ${first} to ${first + BATCH - 1}`, { timeout: 600_000 }, () => {
      for (let seed = first; seed < first + BATCH; seed++)
        try {
          new Simulation(generate(seed, 3, 8)).run();
        } catch (error) {
          throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
        }
    });
});

// Many small consortia in which things go wrong, each from its seed. What fails goes into reproduction.test.ts.

import { describe, expect, it } from 'vitest';
import { generate } from './script.js';
import { runAll } from './run-all.js';

const SEEDS = 250;
const BATCH = 50;
const ALONG_GRAPH = 8;

describe('a simulated consortium', () => {
  for (let first = 1; first <= SEEDS; first += BATCH)
    it(`keeps every promise under the faults of seeds ${first} to ${first + BATCH - 1}`, { timeout: 600_000 }, () => {
      runAll(first, BATCH, (seed) => generate(seed, 3, 8));
    });

  it(
    'keeps every promise of a regular masking graph in the first of the larger ones that have one',
    { timeout: 600_000 },
    () => {
      const alongGraph = Array.from({ length: 200 }, (_, k) => k + 1).filter(
        (seed) => generate(seed, 8, 14).graph !== undefined,
      );
      expect(alongGraph.length).toBeGreaterThan(ALONG_GRAPH);
      for (const seed of alongGraph.slice(0, ALONG_GRAPH)) runAll(seed, 1, () => generate(seed, 8, 14));
    },
  );
});

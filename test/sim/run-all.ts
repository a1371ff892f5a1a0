// Seeds one after the other, as the test run does; the first that breaks a promise ends it and is named.

import type { Script } from './script.js';
import { Simulation } from './simulation.js';

export function runAll(first: number, count: number, scriptOf: (seed: number) => Script): void {
  for (let seed = first; seed < first + count; seed++)
    try {
      new Simulation(scriptOf(seed)).run();
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
}

// One of several threads that run seeds: it is asked for one after the other, and shrinks what fails.

import { parentPort } from 'node:worker_threads';
import { generate, type Script } from './script.js';
import { failureOf, kindOf, shrink } from './shrink.js';
import { Simulation, type Tally } from './simulation.js';

export interface Asked {
  readonly seed: number;
  readonly lo: number;
  readonly hi: number;
}

export interface Failed {
  readonly script: Script;
  readonly message: string;
  /** The shortest script found that breaks the same promise, and what it says. */
  readonly small: Script;
  readonly says: string;
}

export type Done =
  | { readonly kind: 'kept'; readonly silos: number; readonly tally: Tally }
  | { readonly kind: 'broken'; readonly failed: Failed };

export function runSeed({ seed, lo, hi }: Asked): Done {
  const script = generate(seed, lo, hi);
  try {
    return { kind: 'kept', silos: script.silos, tally: new Simulation(script).run() };
  } catch (error) {
    const failure = error instanceof Error ? error : new Error(String(error));
    const small = shrink(script, kindOf(failure));
    const says = failureOf(small)?.message ?? 'nothing any more';
    return { kind: 'broken', failed: { script, message: failure.message, small, says } };
  }
}

parentPort?.on('message', (asked: Asked) => {
  parentPort?.postMessage(runSeed(asked));
});

// A failing simulation made small: operations are left out as long as the same promise stays broken (delta debugging), then rounds and jobs.

import type { Operation, Script } from './script.js';
import { Simulation, type Plant } from './simulation.js';

/** What broke, without names and numbers; undefined when nothing did. */
export function failureOf(script: Script, plant: Plant = {}): Error | undefined {
  try {
    new Simulation(script, plant).run();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

export function kindOf({ message }: Error): string {
  const promise = /\((G\d[^)]*)\)/.exec(message)?.[1];
  return promise ?? message.replace(/[0-9a-f]*\d[0-9a-f]*/g, '#').slice(0, 60);
}

/** The shortest script found that fails in the same way. Runs at most `budget` simulations. */
export function shrink(script: Script, kind: string, plant: Plant = {}, budget = 300): Script {
  let left = budget;
  const fails = (candidate: Script): boolean => {
    if (left-- <= 0) return false;
    const failure = failureOf(candidate, plant);
    return failure !== undefined && kindOf(failure) === kind;
  };
  let best = script;
  for (const change of [{ jobs: 1 }, { rounds: 1 }, { rounds: 2 }])
    if (fails({ ...best, ...change })) best = { ...best, ...change };
  let pieces = 2;
  while (best.operations.length > 0 && pieces <= 2 * best.operations.length) {
    const size = Math.ceil(best.operations.length / pieces);
    const shorter = without(best.operations, size).find((operations) => fails({ ...best, operations }));
    if (shorter !== undefined) best = { ...best, operations: shorter };
    else if (size <= 1) break;
    else pieces *= 2;
  }
  return best;
}

/** The list with one piece of `size` left out, for each piece. */
function without(operations: readonly Operation[], size: number): Operation[][] {
  const lists: Operation[][] = [];
  for (let at = 0; at < operations.length; at += size)
    lists.push([...operations.slice(0, at), ...operations.slice(at + size)]);
  return lists;
}

// Training holds its buffers for all its steps: what is constructed is counted, and does not depend on how many steps there are.
// VEILSUM_TRAINING_STEPS=60000 makes the long run.

import { afterEach, describe, expect, it } from 'vitest';
import { closeEngines, engineOf, QUIET, requestFor, separable } from '../../support/engine.js';
import { multiLayerPerceptron } from '../../support/onnx-models.js';

const STEPS = Number(process.env['VEILSUM_TRAINING_STEPS'] ?? 2000);
const NAMES = ['ArrayBuffer', 'Float32Array', 'Float64Array', 'Uint32Array', 'BigInt64Array'] as const;
const world = globalThis as unknown as Record<string, new (...args: unknown[]) => object>;

afterEach(closeEngines);

/** How many arrays are constructed while `action` runs. */
async function constructions(action: () => Promise<unknown>): Promise<number> {
  let count = 0;
  const originals = NAMES.map((name) => [name, world[name]!] as const);
  for (const [name, original] of originals)
    world[name] = new Proxy(original, {
      construct: (target, args: unknown[], newTarget) => {
        count++;
        return Reflect.construct(target, args, newTarget) as object;
      },
    });
  try {
    await action();
  } finally {
    for (const [name, original] of originals) world[name] = original;
  }
  return count;
}

describe('a training', () => {
  it('constructs as many arrays for few steps as for many', async () => {
    const engine = await engineOf(multiLayerPerceptron([2, 8, 1], 1));
    const table = separable(64);
    const train = (steps: number) => () =>
      engine.train(requestFor(engine, table, { duration: { kind: 'steps', steps } }), QUIET);
    await train(10)();
    const few = await constructions(train(10));
    const before = process.memoryUsage().arrayBuffers;
    const many = await constructions(train(STEPS));
    expect(few).toBeGreaterThan(0);
    expect(many).toBe(few);
    // Shuffling hashes in small buffers, which the collector has not all taken yet.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 ** 2);
  });

  it('is counted by a count that sees arrays', async () => {
    expect(await constructions(() => Promise.resolve(new Float32Array(3)))).toBe(1);
  });
});

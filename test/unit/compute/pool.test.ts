// Threads for vector work: the main thread stays free, errors keep their codes, nothing is left behind.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { Computer, HERE, quantiseInput, ringOf, wipeRing, type Lane } from '../../../src/compute/index.js';
import { WorkerPool, workerUrl } from '../../../src/system/index.js';
import { layoutOf } from '../../../src/vector/index.js';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

function lane(threads = 1): Lane {
  const computer = new Computer({ threads, pooledFrom: 0 });
  open.push(computer);
  return computer.laneFor(1);
}

function pool(options: { queueMax?: number; idleMs?: number } = {}): WorkerPool {
  const made = new WorkerPool({
    module: workerUrl(new URL('../../../src/compute/computer.ts', import.meta.url).href, './worker.js'),
    threads: 1,
    ...options,
  });
  open.push(made);
  return made;
}

const masks = () => ({ add: Array.from({ length: 200 }, () => new Uint8Array(32).fill(1)), subtract: [] });

/** Turns of the event loop, as a ping would have them, until `work` is over. */
async function turnsDuring(work: Promise<unknown>): Promise<number> {
  let turns = 0;
  const state = { over: false };
  void work.finally(() => (state.over = true));
  while (!state.over) {
    await nextTurn();
    turns++;
  }
  return turns;
}

/** 200 masks on 64 thousand coordinates: some ten milliseconds in one piece. */
function longWork(on: Lane): Promise<unknown> {
  const words = new Int32Array(on.room(4 << 16).buffer);
  const out = on.room(4 << 16);
  return on.run('mask', { words, start: 0, keys: ringOf(on, masks()), bits: 32, out });
}

describe('a lane with threads', () => {
  it('leaves the main thread to others: a ping is answered many times while one range is masked', async () => {
    const threads = lane();
    // Its thread is there when this has been answered.
    await longWork(threads);
    expect(await turnsDuring(longWork(threads))).toBeGreaterThan(20);
    // Where it is called, all of it is one turn.
    expect(await turnsDuring(longWork(HERE))).toBeLessThan(3);
  });

  it('gives errors of a job back with their codes, and goes on', async () => {
    const threads = lane();
    const layout = layoutOf([
      { name: 'loss', length: 1, quantiser: { kind: 'integer', max: 9 }, visibility: 'public', coarseStep: 0 },
    ]);
    const job = (value: number) => ({
      layout,
      segments: [{ name: 'loss', values: Float64Array.of(value) }],
      rounding: new Uint8Array(32),
      noise: undefined,
    });
    await expect(quantiseInput(threads, job(NaN))).rejects.toMatchObject({ code: 'vector/not-finite' });
    await expect(quantiseInput(HERE, job(NaN))).rejects.toMatchObject({ code: 'vector/not-finite' });
    expect([...(await quantiseInput(threads, job(7)))]).toEqual([7]);
  });

  it('has no copy of mask keys that outlives their owner’s', () => {
    const threads = lane();
    const given = { add: [new Uint8Array(32).fill(5)], subtract: [new Uint8Array(32).fill(6)] };
    const keys = ringOf(threads, given);
    // What a thread sees is this memory itself.
    expect(keys.bytes.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(keys.bytes[0]).toBe(5);
    expect(given.add[0]).toEqual(new Uint8Array(32));
    wipeRing(keys);
    expect(keys.bytes.every((byte) => byte === 0)).toBe(true);
  });
});

describe('a pool', () => {
  it('refuses what nobody waits for', async () => {
    const small = pool({ queueMax: 2 });
    const jobs = Array.from({ length: 4 }, () => small.run('leaf', { block: new Uint8Array(8), index: 0 }));
    const codes = await Promise.allSettled(jobs);
    expect(codes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected']);
    await expect(jobs[3]).rejects.toMatchObject({ code: 'system/pool-full' });
  });

  it('says what it does not know, and gives up jobs when it ends', async () => {
    const one = pool();
    await expect(one.run('no-such-job', {})).rejects.toMatchObject({ code: 'system/worker-failed' });
    const pending = one.run('leaf', { block: new Uint8Array(1 << 20), index: 0 });
    const closing = one.close();
    await expect(pending).rejects.toMatchObject({ code: 'system/pool-closed' });
    await closing;
    await expect(one.run('leaf', {})).rejects.toMatchObject({ code: 'system/pool-closed' });
  });

  it('starts no thread before the first job and keeps none that has nothing to do', async () => {
    const one = pool({ idleMs: 1 });
    expect(one.started).toBe(0);
    await one.run('leaf', { block: new Uint8Array(8), index: 0 });
    while (one.started > 0) await nextTurn();
    expect(await one.run('leaf', { block: new Uint8Array(8), index: 0 })).toHaveLength(32);
  });
});

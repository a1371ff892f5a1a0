// When a call is made again, and how long it waits.

import { beforeAll, describe, expect, it } from 'vitest';
import { CodedError } from '../../../src/base/index.js';
import { Tries } from '../../../src/transport/retry.js';
import type { Sleep } from '../../../src/transport/waiting.js';
import { TransportError } from '../../../src/transport/index.js';
import { rng, serve, silo, TestAuthority } from '../../support/transport.js';

let authority: TestAuthority;
beforeAll(async () => {
  authority = await TestAuthority.create();
});

const broken = new TransportError('transport/broken', 'gone');
const request = { envelope: undefined, ciphertexts: [] };

describe('unary calls', () => {
  it('are made again when the coordinator is unavailable', async () => {
    let calls = 0;
    const server = await serve(authority, {
      silo: {
        submit: () => {
          calls += 1;
          if (calls < 4) throw new CodedError('room/busy', 'later', { category: 'unavailable' });
          return Promise.resolve({ receipt: undefined });
        },
      },
    });
    const client = silo(server.address, await authority.member('silo', 'alpha'));
    await expect(client.submit(request)).resolves.toEqual({ receipt: undefined });
    expect(calls).toBe(4);
  });

  it('are made again when no answer came in time', async () => {
    let calls = 0;
    const server = await serve(authority, {
      silo: {
        submit: () => {
          calls += 1;
          return calls === 1 ? new Promise(() => undefined) : Promise.resolve({ receipt: undefined });
        },
      },
    });
    const client = silo(server.address, await authority.member('silo', 'alpha'), { limits: { unaryMs: 300 } });
    await client.submit(request);
    expect(calls).toBeGreaterThan(1);
  });

  it('are made a bounded number of times', async () => {
    let calls = 0;
    const server = await serve(authority, {
      silo: {
        submit: () => {
          calls += 1;
          throw new CodedError('room/busy', 'later', { category: 'unavailable' });
        },
      },
    });
    const client = silo(server.address, await authority.member('silo', 'alpha'), { limits: { triesMax: 3 } });
    await expect(client.submit(request)).rejects.toMatchObject({ code: 'room/busy' });
    expect(calls).toBe(3);
  });

  it('are not made again when the answer was no', async () => {
    let calls = 0;
    const server = await serve(authority, {
      silo: {
        submit: () => {
          calls += 1;
          throw new CodedError('room/wrong', 'never', { category: 'content' });
        },
      },
    });
    const client = silo(server.address, await authority.member('silo', 'alpha'));
    await expect(client.submit(request)).rejects.toMatchObject({ code: 'room/wrong' });
    expect(calls).toBe(1);
  });

  it('end when their caller gives up', async () => {
    const leave = new AbortController();
    const server = await serve(authority, {
      silo: {
        submit: () => {
          leave.abort();
          return new Promise(() => undefined);
        },
      },
    });
    const client = silo(server.address, await authority.member('silo', 'alpha'));
    await expect(client.submit(request, leave.signal)).rejects.toMatchObject({ code: 'transport/cancelled' });
    await expect(client.submit(request, leave.signal)).rejects.toMatchObject({ code: 'transport/cancelled' });
  });
});

describe('delays', () => {
  const limits = { triesMax: 40, backoffBaseMs: 200, backoffCapMs: 30_000 };

  async function delays(bytes: (length: number) => Uint8Array, count: number): Promise<number[]> {
    const waited: number[] = [];
    const sleep: Sleep = (ms) => {
      waited.push(ms);
      return Promise.resolve();
    };
    const tries = new Tries({ rng: { bytes }, sleep, limits });
    for (let i = 0; i < count; i++) await tries.again(broken, undefined);
    return waited;
  }

  it('double up to the cap, and jitter takes any part of them', async () => {
    const ceilings = await delays((length) => new Uint8Array(length).fill(255), 12);
    expect(ceilings).toEqual([199, 399, 799, 1599, 3199, 6399, 12_799, 25_599, 29_999, 29_999, 29_999, 29_999]);
    expect(await delays((length) => new Uint8Array(length), 12)).toEqual(Array(12).fill(0));
    const drawn = await delays((length) => rng.bytes(length), 30);
    drawn.slice(8).forEach((ms) => {
      expect(ms).toBeLessThan(30_000);
    });
    expect(new Set(drawn).size).toBeGreaterThan(10);
  });

  it('start anew after progress', async () => {
    const waited: number[] = [];
    const sleep: Sleep = (ms) => Promise.resolve(void waited.push(ms));
    const tries = new Tries({
      rng: { bytes: (length) => new Uint8Array(length).fill(255) },
      sleep,
      limits: { ...limits, triesMax: 3 },
    });
    for (let i = 0; i < 10; i++) {
      await tries.again(broken, undefined);
      await tries.again(broken, undefined);
      tries.progressed();
    }
    expect(waited).toHaveLength(20);
    expect(new Set(waited)).toEqual(new Set([199, 399]));
  });
});

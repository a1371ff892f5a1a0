// What a round costs in signatures, exactly: made by each silo, and verified by all silos and the coordinator together. Times belong to the
// bench.

import type * as NodeCrypto from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { MemoryConsortium } from '../../support/memory/consortium.js';

const counted = vi.hoisted(() => ({ made: 0, verified: 0 }));
vi.mock('node:crypto', async (original) => {
  const actual = await original<typeof NodeCrypto>();
  const sign = (...call: unknown[]): unknown => {
    counted.made++;
    return Reflect.apply(actual.sign, undefined, call);
  };
  const verify = (...call: unknown[]): unknown => {
    counted.verified++;
    return Reflect.apply(actual.verify, undefined, call);
  };
  return { ...actual, sign, verify };
});

/** Of a job of so many undisturbed rounds, by silos and coordinator together. */
function costsOf(n: number, rounds: number): { made: number; verified: number } {
  const consortium = new MemoryConsortium(n, { manifest: { roundLimit: rounds } });
  counted.made = 0;
  counted.verified = 0;
  consortium.run();
  return { ...counted };
}

describe('one more undisturbed round', () => {
  it.each([4, 7, 10])('of %i silos: signatures grow with n, their checks with 4 n²', (n) => {
    const [one, two] = [costsOf(n, 1), costsOf(n, 2)];
    const t = Math.floor((2 * n) / 3) + 1;
    // Of each silo keys, shares, checked shares, input, consistency and Ack; unmask messages until there are enough; a receipt for each
    // input; and four of the coordinator's own.
    expect(two.made - one.made).toBe(6 * n + t + n + 4);
    // Four kinds of message are seen by every silo from every silo, and a signature is checked once by each; five of the coordinator's by
    // each silo; all of the silos' by the coordinator.
    expect(two.verified - one.verified).toBe(4 * n * n + 5 * n + (6 * n + t) + 3);
  });
});

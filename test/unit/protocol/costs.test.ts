// What a round costs in messages, exactly: how many of each kind, and how their bytes grow with the cohort. Times belong to the bench.

import { describe, expect, it } from 'vitest';
import { encode, Envelope } from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';

interface Cost {
  readonly messages: number;
  readonly payload: number;
}

/** Of the messages that silos sign in one undisturbed round, by type: how many, and the payload of the largest. */
function costsOf(n: number): Map<string, Cost> {
  const costs = new Map<string, Cost>();
  const seen = new Set<string>();
  const consortium = new MemoryConsortium(n, { manifest: { roundLimit: 1 } });
  consortium.hooks.arrive = (_, envelope) => {
    const bytes = Buffer.from(encode(Envelope, envelope)).toString('hex');
    // Sent again after a reconnect it is the same message.
    if (!seen.has(bytes)) {
      seen.add(bytes);
      const { messages, payload } = costs.get(envelope.type) ?? { messages: 0, payload: 0 };
      costs.set(envelope.type, {
        messages: messages + 1,
        payload: Math.max(payload, envelope.payload.length),
      });
    }
    return true;
  };
  consortium.run();
  return costs;
}

describe('a round without disturbance', () => {
  const cohorts = [4, 7, 10];
  const all = cohorts.map(costsOf);

  it('has one signed message of each kind from every silo, and never more', () => {
    const kinds = ['approval', 'advertise', 'share-header', 'shares-checked', 'masked-header', 'consistency', 'ack'];
    all.forEach((costs, k) => {
      const n = cohorts[k]!;
      for (const kind of kinds) expect(costs.get(kind)?.messages, `${kind} of ${n}`).toBe(n);
      // The threshold closes this phase; the last may not have spoken.
      const unmask = costs.get('unmask')?.messages ?? 0;
      expect(unmask).toBeGreaterThanOrEqual(Math.floor((2 * n) / 3) + 1);
      expect(unmask).toBeLessThanOrEqual(n);
      expect([...costs.keys()].sort()).toEqual([...kinds, 'unmask'].sort());
    });
  });

  it('closes each upload with a header of less than a thousand bytes, signature and all', () => {
    for (const costs of all) {
      const { payload } = costs.get('masked-header')!;
      // Beside the payload: type and signer, a signature of 64 bytes, tags and lengths.
      expect(payload + 64 + 100).toBeLessThan(1000);
    }
  });

  it('has share headers that grow by 141 bytes a member, and other messages that hardly grow', () => {
    const growth = (kind: string): number[] => {
      const [a, b, c] = all.map((costs) => costs.get(kind)!.payload);
      return [(b! - a!) / 3, (c! - b!) / 3];
    };
    // A recipient's number, a key, a hash and two commitments of 32 bytes, each with tag and length.
    expect(growth('share-header')).toEqual([141, 141]);
    for (const kind of ['advertise', 'masked-header', 'consistency', 'ack'])
      for (const one of growth(kind)) expect(Math.abs(one), kind).toBeLessThanOrEqual(1);
  });
});

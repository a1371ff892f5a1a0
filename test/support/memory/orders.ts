// Orders of the test consortium's operator.

import { seal } from '../../../src/protocol/index.js';
import { Order, type Envelope } from '../../../src/wire/index.js';
import type { MemoryConsortium } from './consortium.js';
import type { Founded } from './founding.js';

export type OrderBody = NonNullable<Order['action']>;

/** Signed by operator olga; number 1 unless said otherwise. */
export function signOrder(founded: Founded, action: OrderBody, changes: Partial<Order> = {}): Envelope {
  const message: Order = {
    version: 1,
    rosterHash: founded.roster.hash,
    number: 1n,
    atUnixMs: 0n,
    reason: 'a test wants it',
    action,
    ...changes,
  };
  return seal(founded.operatorKey, 'operator/olga', 'order', Order, message);
}

export function ofJob({ job }: MemoryConsortium): { jobId: string; manifestHash: Uint8Array } {
  return { jobId: job.manifest.jobId, manifestHash: job.manifest.hash };
}

/** Gives the consortium the next order. */
export function order(consortium: MemoryConsortium, action: OrderBody, changes: Partial<Order> = {}): void {
  const number = BigInt(consortium.coordinator.orders.length) + 1n;
  const signed = signOrder(consortium.founded, action, { number, ...changes });
  consortium.feed({ $case: 'orderGiven', value: { order: signed } });
}

// An order of the operator: made after a look at what there is, signed, given, and given again under the next number never by itself.

import { systemClock } from '../src/system/index.js';
import { REASON_CHARACTERS_MAX, seal } from '../src/protocol/index.js';
import { Order } from '../src/wire/index.js';
import { badAnswer, fetchManifest } from './checked-round.js';
import { AuditError } from './errors.js';
import { readOperatorKey } from './operator-key.js';
import type { Session } from './session.js';

export type OrderBody = NonNullable<Order['action']>;

/** Name and manifest of a job, from its signed manifest. */
export async function namedJob(
  { client, roster }: Session,
  jobId: string,
): Promise<{ readonly jobId: string; readonly manifestHash: Uint8Array }> {
  const manifest = await fetchManifest(client, roster, jobId);
  return { jobId: manifest.jobId, manifestHash: manifest.hash };
}

/** Signs and gives an order; returns its number. Throws AuditError `audit/bad-reason`, and what the coordinator refuses. */
export async function giveOrder(
  session: Session,
  action: OrderBody,
  reason: string,
  signal: AbortSignal,
): Promise<bigint> {
  const { client, roster, officer } = session;
  if (reason.length === 0 || reason.length > REASON_CHARACTERS_MAX)
    throw new AuditError(
      'audit/bad-reason',
      `a reason has 1 to ${String(REASON_CHARACTERS_MAX)} characters, this one has ${String(reason.length)}.`,
    );
  const key = await readOperatorKey(session);
  const { orders } = await client.getServerInfo({}, signal);
  const order = seal(key, `operator/${officer.id}`, 'order', Order, {
    version: 1,
    rosterHash: roster.hash,
    number: orders + 1n,
    atUnixMs: BigInt(systemClock.now()),
    reason,
    action,
  });
  const { number } = await client.giveOrder({ order }, signal);
  if (number !== orders + 1n)
    throw badAnswer(`order ${String(orders + 1n)} was given, the coordinator confirms number ${String(number)}.`);
  return number;
}

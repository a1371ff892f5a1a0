// P1: key advertisements, one by one and as U1 with T1.

import { equalBytes, hex, type Hash } from '../../base/index.js';
import { isAgreementKey } from '../../crypto/index.js';
import { AdvertiseKeys, type Envelope } from '../../wire/index.js';
import { demandCheckpointFits } from '../plan.js';
import { maskingGraph, type MaskingGraph } from '../graph.js';
import { demand, demandOne } from '../rejection.js';
import { transcript1 } from '../transcript.js';
import { openMemberMessage, type RoundContext } from './context.js';

export interface Advertised {
  readonly index: number;
  readonly channelKey: Uint8Array;
  readonly maskKey: Uint8Array;
  /** Body of the newest checkpoint it has read; empty while the consortium keeps no log. */
  readonly checkpoint: Uint8Array;
  readonly payload: Uint8Array;
  readonly envelope: Envelope;
}

/** U1: who takes part in the attempt, with which keys. */
export interface KeySet {
  readonly members: ReadonlyMap<number, Advertised>;
  readonly t1: Hash;
  /** Who masks with whom and holds whose shares: follows from T1. */
  readonly graph: MaskingGraph;
}

export function openAdvertised(context: RoundContext, envelope: Envelope): Advertised {
  const { message, payload } = openMemberMessage(context, envelope, 'advertise', AdvertiseKeys);
  const { plan, attempt } = context;
  const who = `member ${String(message.index)}`;
  demand(
    equalBytes(message.rid, plan.rid) && message.attempt === attempt.attempt,
    'keys/wrong-round',
    `the keys of ${who} are for another round or attempt.`,
  );
  demand(
    equalBytes(message.modelHash, plan.modelHash),
    'keys/model',
    `${who} starts from another model than the plan's.`,
  );
  demandCheckpointFits(context.roster, message.checkpoint, 'keys/reserved');
  demand(
    message.lastAckHash.length === 0 || message.lastAckHash.length === 32,
    'keys/reserved',
    `the last Ack of ${who} is no hash.`,
  );
  // Proof by itself against whoever signed it.
  demandOne(
    isAgreementKey(message.channelKey) && isAgreementKey(message.maskKey),
    'keys/low-order',
    `a key of ${who} is not a 32-byte X25519 key of high order.`,
    [envelope],
  );
  const { index, channelKey, maskKey, checkpoint } = message;
  return { index, channelKey, maskKey, checkpoint, payload, envelope };
}

/** U1 and T1 from the advertisements as delivered. Counts distinct members, in index order. */
export function closeKeys(context: RoundContext, envelopes: readonly Envelope[]): KeySet {
  const { plan, attempt } = context;
  const members = new Map<number, Advertised>();
  let previous = -1;
  for (const envelope of envelopes) {
    const advertised = openAdvertised(context, envelope);
    demand(advertised.index > previous, 'keys/repeated', 'advertisements are not in index order, one for each member.');
    previous = advertised.index;
    members.set(advertised.index, advertised);
  }
  demand(
    members.size >= plan.least,
    'keys/too-few',
    `${String(members.size)} members advertised keys, ${String(plan.least)} are needed.`,
  );
  const keys = [...members.values()].flatMap((m) => [hex(m.channelKey), hex(m.maskKey)]);
  demand(new Set(keys).size === keys.length, 'keys/repeated', 'two keys of this attempt are equal.');
  const payloads = new Map([...members].map(([index, m]) => [index, m.payload]));
  const t1 = transcript1(plan.rid, attempt.attempt, attempt.hash, plan.n, payloads);
  return { members, t1, graph: maskingGraph(t1, plan.n, plan.t, plan.graph) };
}

// P2: share headers, one by one and as U2 with T2.

import type { Hash } from '../../base/index.js';
import { ShareHeader, type Envelope } from '../../wire/index.js';
import { fromBitmap } from '../bitmap.js';
import { demandHeaderShape } from '../dealing.js';
import { demand, demanded } from '../rejection.js';
import { transcript2 } from '../transcript.js';
import type { KeySet } from './advertised.js';
import { openMemberMessage, type RoundContext } from './context.js';

export interface Dealer {
  readonly index: number;
  readonly header: ShareHeader;
  readonly payload: Uint8Array;
  readonly envelope: Envelope;
}

/** U2: who dealt shares. */
export interface DealerSet {
  readonly members: ReadonlyMap<number, Dealer>;
  readonly t2: Hash;
}

export function openDealer(context: RoundContext, keys: KeySet, envelope: Envelope): Dealer {
  const { message, payload } = openMemberMessage(context, envelope, 'share-header', ShareHeader);
  demand(
    keys.members.has(message.index),
    'share/entries',
    `member ${String(message.index)} dealt shares without having advertised keys.`,
  );
  const holders = [...keys.members.keys()].filter((index) => keys.graph.holds(index, message.index));
  demandHeaderShape(message, keys.t1, holders);
  return { index: message.index, header: message, payload, envelope };
}

/** Every header delivered, by index. They are in index order, one for each dealer. */
export function openDealers(context: RoundContext, keys: KeySet, envelopes: readonly Envelope[]): Map<number, Dealer> {
  const dealers = new Map<number, Dealer>();
  let previous = -1;
  for (const envelope of envelopes) {
    const dealer = openDealer(context, keys, envelope);
    demand(dealer.index > previous, 'share/entries', 'share headers are not in index order, one for each dealer.');
    previous = dealer.index;
    dealers.set(dealer.index, dealer);
  }
  return dealers;
}

/** U2 and T2 from the bitmap and the headers that were checked. */
export function closeDealers(
  context: RoundContext,
  keys: KeySet,
  checked: ReadonlyMap<number, Dealer>,
  bitmap: Uint8Array,
): DealerSet {
  const { n, least } = context.plan;
  const indices = demanded(
    fromBitmap(bitmap, n),
    'share/too-few',
    'the set of dealers is not a bitmap over the cohort.',
  );
  demand(
    indices.length >= least,
    'share/too-few',
    `${String(indices.length)} members dealt shares, ${String(least)} are needed.`,
  );
  const members = new Map(
    indices.map((index) => [
      index,
      demanded(
        checked.get(index),
        'share/not-checked',
        `the header of member ${String(index)} was not delivered and checked.`,
      ),
    ]),
  );
  const payloads = new Map([...members].map(([index, dealer]) => [index, dealer.payload]));
  return { members, t2: transcript2(keys.t1, n, payloads) };
}

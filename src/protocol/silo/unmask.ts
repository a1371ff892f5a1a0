// P5: at least t distinct survivors stand behind one T3: release shares of self_b for survivors, of mask_sk for those who dealt and
// did not survive, as far as this silo holds them. Never both for one member, never other bytes; durable with the signed message before it leaves.

import { Unmask, type IndexedShare, type UnmaskDirective } from '../../wire/index.js';
import { openQuorum } from '../check/survivors.js';
import { releasedBy } from '../check/unmask.js';
import type { HeldShares } from '../dealing.js';
import { seal } from '../envelope.js';
import { demand, demanded } from '../rejection.js';
import { siloSigner } from '../roster.js';
import { withRound } from './change.js';
import { demandSurvivors, locateRequest, survivorsOf } from './confirm.js';
import { submit, type Accepted, type JournalledEvent } from './event.js';
import { recordOpening } from './openings.js';
import type { OpenRound, SiloState } from './state.js';

export function onUnmaskRequested(
  state: SiloState,
  event: JournalledEvent,
  value: UnmaskDirective,
): Accepted<SiloState> {
  const found = locateRequest(state, value.request);
  const dealers = found?.attempt.dealers;
  const keys = found?.attempt.keys;
  if (found === undefined || dealers === undefined || keys === undefined) return { state, effects: [] };
  const { job, open, attempt } = found;
  const { context } = attempt;
  const number = context.attempt.attempt;
  const survivors = survivorsOf(found, value.request);
  if (open.releasedIn?.attempt === number) {
    return { state, effects: [submit(open.releasedIn.unmask)] };
  }
  // A silo that was not asked to sign, or lost that message, makes the same checks now.
  demandSurvivors(state, found, survivors);
  const quorum = openQuorum(context, survivors, value.consistency);
  demand(
    quorum.size >= open.plan.t,
    'unmask/too-few',
    `${String(quorum.size)} distinct survivors confirmed, ${String(open.plan.t)} are needed.`,
  );
  demand(
    dealers.members.has(open.index),
    'unmask/not-survivor',
    'this silo is not in U2 and holds no shares to release.',
  );

  const held = demanded(attempt.held, 'share/missing', 'this silo holds no shares.', 'state');
  const wanted = releasedBy(open.index, keys, dealers, survivors);
  const shares = (dealerIndices: readonly number[], of: (one: HeldShares) => Uint8Array): IndexedShare[] =>
    dealerIndices.map((dealer) => ({
      dealer,
      share: of(
        demanded(held.get(dealer), 'share/missing', `no share of member ${String(dealer)} is held here.`, 'state'),
      ),
    }));
  const { self } = state;
  const unmask = seal(self.signingKey, siloSigner(self.siloId), 'unmask', Unmask, {
    t3: survivors.t3,
    index: open.index,
    selfShares: shares(wanted.self, (one) => one.self),
    keyShares: shares(wanted.key, (one) => one.key),
  });
  const released: OpenRound = {
    ...open,
    attempt: { ...attempt, phase: 'unmask', survivors },
    releasedIn: { attempt: number, unmask, consistency: value.consistency, request: survivors.request },
  };
  return {
    state: withRound(recordOpening(state, found, survivors), job, released),
    effects: [{ kind: 'persist', event, emitted: [unmask] }, submit(unmask)],
  };
}

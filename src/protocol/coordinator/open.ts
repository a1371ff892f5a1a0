// The end of P5: with enough releases every secret is reconstructed and checked, and the sum can be opened.

import type { UnixMs } from '../../base/index.js';
import { BadSecret, reconstruct } from '../check/unmask.js';
import { openedKeys } from '../evidence.js';
import { demanded } from '../rejection.js';
import { abandon } from './abandon.js';
import { bar } from './bar.js';
import { ANSWERED, enterPhase, inOrder, stored, type Located } from './change.js';
import type { Accepted, CoordinatorEvent } from './event.js';
import type { CoordinatorState } from './state.js';

/** Enough releases are there: reconstruct, and have the sum opened. A dealer whose shares do not give its secret ends the round. */
export function openSecrets(
  state: CoordinatorState,
  found: Located,
  at: UnixMs,
  event: CoordinatorEvent,
): Accepted<CoordinatorState> {
  const { attempt } = found;
  const keys = demanded(attempt.keys, 'job/state', 'no keys.');
  const dealers = demanded(attempt.dealers, 'job/state', 'no dealers.');
  const survivors = demanded(attempt.survivors, 'job/state', 'no survivors.');
  const quorum = demanded(attempt.quorum, 'job/state', 'no quorum.');
  try {
    const secrets = reconstruct(keys, dealers, survivors, inOrder(attempt.releases));
    const missing = [...survivors.members.keys()].filter((index) => !quorum.has(index));
    const next = stored(enterPhase(state, found, at, 'publish', { secrets }), event);
    return {
      state: next.state,
      effects: [
        ...next.effects,
        { kind: 'open-sum', context: attempt.context, keys, dealers, survivors, secrets, missing },
      ],
    };
  } catch (error) {
    if (!(error instanceof BadSecret)) throw error;
    // Proof against a dealer: no share can finish this attempt, and who has released can join no other. The round is burnt.
    const header = dealers.members.get(error.dealer)?.envelope;
    const advertised = keys.members.get(error.dealer)?.envelope;
    // With a regular graph fewer shares show it, and the plan says how many.
    const plan = attempt.context.plan.graph === undefined ? [] : [attempt.context.plan.envelope];
    const judged = bar(found, error.dealer, error.code, [header, advertised, ...plan], {
      keys: openedKeys(attempt.context, keys),
      shares: error.shares,
    });
    const notes = [
      ...judged.round.notes,
      `attempt ${String(attempt.context.attempt.attempt)} ended in unmask: ${error.message}`,
    ];
    const burnt = abandon(state, { ...judged, round: { ...judged.round, notes } }, at, event);
    return { state: burnt.state, effects: [...burnt.effects, ANSWERED] };
  }
}

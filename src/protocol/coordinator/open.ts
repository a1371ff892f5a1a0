// The end of P5: with t releases every secret is reconstructed and checked, and the sum can be opened.

import type { UnixMs } from '../../base/index.js';
import { reconstruct } from '../check/unmask.js';
import { demanded, Refusal } from '../rejection.js';
import { ANSWERED, enterPhase, inOrder, stored, type Located } from './change.js';
import type { Accepted, CoordinatorEvent } from './event.js';
import { failAttempt } from './fail.js';
import type { CoordinatorState } from './state.js';

/** t releases are there: reconstruct, and have the sum opened. A dealer whose shares do not give its secret ends the attempt. */
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
    const secrets = reconstruct(attempt.context, keys, dealers, survivors, inOrder(attempt.releases));
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
    if (!(error instanceof Refusal) || error.code !== 'unmask/bad-secret') throw error;
    // Proof against a dealer: no further share can finish this attempt.
    const dead = { ...found, attempt: { ...attempt, finishing: true } };
    const failed = failAttempt(state, dead, at, event, error.message);
    return { state: failed.state, effects: [...failed.effects, ANSWERED] };
  }
}

// P5: releases are gathered, each kept durable on arrival; with t of them every secret is reconstructed and checked.

import type { UnixMs } from '../../base/index.js';
import { decode, Unmask, type Envelope } from '../../wire/index.js';
import { reconstruct } from '../check/unmask.js';
import { demand, demanded, Refusal } from '../rejection.js';
import { failAttempt } from './aborted.js';
import { ANSWERED, inOrder, enterPhase, stored, withAttempt, type Located } from './change.js';
import { byT3 } from './confirm.js';
import { addRelease } from './release.js';
import type { Accepted, CoordinatorEvent } from './event.js';
import type { CoordinatorState } from './state.js';

export function onUnmask(
  state: CoordinatorState,
  at: UnixMs,
  event: CoordinatorEvent,
  envelope: Envelope,
): Accepted<CoordinatorState> {
  const { t3 } = decode(Unmask, 'unmask', envelope.payload);
  const found = demanded(byT3(state, t3), 'message/late', 'the attempt this release belongs to is closed.', 'state');
  const { attempt } = found;
  demand(attempt.quorum !== undefined, 'message/unexpected', 'nobody has been asked to release yet.', 'state');
  const next = addRelease(found, envelope);
  if (next === undefined) return { state, effects: [ANSWERED] };
  const { releases } = next.attempt;
  if (attempt.phase !== 'unmask' || releases.size < attempt.context.plan.t)
    return stored(withAttempt(state, found, { releases }), event);
  return open(state, next, at, event);
}

/** t releases are there: reconstruct, and have the sum opened. A dealer whose shares do not give its secret ends the attempt. */
function open(
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
    const failed = failAttempt(state, found, at, event, error.message);
    return { state: failed.state, effects: [...failed.effects, ANSWERED] };
  }
}

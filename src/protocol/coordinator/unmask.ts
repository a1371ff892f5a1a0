// P5: releases are gathered, each kept durable on arrival; with enough of them every secret is reconstructed and checked.

import type { UnixMs } from '../../base/index.js';
import { decode, Unmask, type Envelope } from '../../wire/index.js';
import { demand, demanded } from '../rejection.js';
import { ANSWERED, stored, withAttempt } from './change.js';
import { byT3 } from './confirm.js';
import { openSecrets } from './open.js';
import { addRelease, releasesSuffice } from './release.js';
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
  if (attempt.phase !== 'unmask' || !releasesSuffice(next.attempt))
    return stored(withAttempt(state, found, { releases }), event);
  return openSecrets(state, next, at, event);
}

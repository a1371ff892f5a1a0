// Silos that may not be here any more: an operator keeps one out, or the next roster does not have it. Its streams end at once, at every
// coordinator, whichever of them took the order or the signature, because each reads the same journal.

import type { SiloId } from '../src/base/index.js';
import { changeOf, demandNotDenied, type CoordinatorState } from '../src/protocol/index.js';
import type { CoordinatorService } from './service.js';
import { notAMember } from './silo-handlers.js';

type EndCallsOf = (silo: SiloId, error: unknown) => void;

export function endCallsOfOutsiders(
  service: Pick<CoordinatorService, 'state' | 'self' | 'onChange'>,
  endCallsOf: EndCallsOf,
): void {
  let denied = new Set(service.state.denied.keys());
  let { roster } = service.self;
  service.onChange(() => {
    const [deniedBefore, rosterBefore] = [denied, roster];
    denied = new Set(service.state.denied.keys());
    for (const silo of denied) if (!deniedBefore.has(silo)) endCallsOf(silo, deniedError(service.state, silo));
    roster = service.self.roster;
    if (roster === rosterBefore) return;
    for (const silo of changeOf(rosterBefore, roster).removed) endCallsOf(silo, notAMember(silo));
  });
}

/** What a silo is told whose calls end because an operator keeps it out. */
function deniedError(state: CoordinatorState, silo: SiloId): unknown {
  try {
    demandNotDenied(state, silo);
    return undefined;
  } catch (error) {
    return error;
  }
}

// Signatures of members on the roster that is to come: gathered, shown to everybody, and acted on as soon as there are enough. The
// coordinator proposes nothing and decides nothing (docs/protocol.md §2.2).

import { equalBytes, hex, type SiloId } from '../../base/index.js';
import { decode, Successor, type Envelope } from '../../wire/index.js';
import { equalEnvelopes } from '../envelope.js';
import { demand, demanded, demandOne } from '../rejection.js';
import {
  demandAbout,
  openSuccessorSignature,
  readSuccessor,
  rosterWithHash,
  successionQuorum,
  type SuccessorSignature,
} from '../succession.js';
import { ANSWERED, stored, withEntry } from './change.js';
import type { Accepted, CoordinatorEvent } from './event.js';
import type { CoordinatorState, ProposedRoster } from './state.js';

/** Throws Refusal `roster/not-a-member`: who was removed is not heard, whatever certificate it still has. */
export function demandMember({ self }: CoordinatorState, silo: SiloId): void {
  demand(
    self.roster.members.has(silo),
    'roster/not-a-member',
    `epoch ${String(self.roster.epoch)} of the roster has no silo "${silo}".`,
    'membership',
  );
}

export function onSuccessor(
  state: CoordinatorState,
  event: CoordinatorEvent,
  silo: SiloId,
  envelope: Envelope,
): Accepted<CoordinatorState> {
  const { roster } = state.self;
  const { rosterHash } = decode(Successor, 'successor', envelope.payload);
  // One more signature on what has come into force by the others', or the same one again after a lost answer.
  if (rosterWithHash(roster, rosterHash) !== undefined) return { state, effects: [ANSWERED] };
  const signature = openSuccessorSignature(roster, envelope);
  demand(signature.silo === silo, 'envelope/wrong-signer', `${silo} handed in a signature of ${signature.silo}.`);
  for (const { signatures } of state.proposals.values()) {
    const before = signatures.get(silo);
    if (before === undefined) continue;
    if (equalEnvelopes(before, envelope)) return { state, effects: [ANSWERED] };
    demandOne(false, 'roster/second-successor', `${silo} has signed another successor before.`, [before, envelope]);
  }
  const proposal = proposalOf(state, signature);
  const signatures = withEntry(proposal.signatures, silo, envelope);
  const proposed = { ...proposal, signatures, by: state.events };
  if (signatures.size < successionQuorum(roster))
    return stored({ ...state, proposals: withEntry(state.proposals, hex(rosterHash), proposed) }, event);
  const next = { ...proposal.roster, succeeds: { roster, signatures: [...signatures.values()] } };
  return stored(
    {
      ...state,
      self: { ...state.self, roster: next },
      successions: [...state.successions, { roster: next, by: state.events }],
      proposals: new Map(),
    },
    event,
  );
}

/** The proposal that is signed. Whoever proposes one brings the roster along; its own signature is the first. */
function proposalOf({ self, proposals }: CoordinatorState, signature: SuccessorSignature): ProposedRoster {
  const { rosterHash, roster } = signature.message;
  const known = [...proposals.values()].find((one) => equalBytes(one.roster.hash, rosterHash));
  if (known !== undefined) return known;
  demanded(
    roster.length > 0 ? true : undefined,
    'roster/unknown',
    `no roster ${hex(rosterHash)} has been proposed here.`,
    'missing',
  );
  const proposed = readSuccessor(self.roster, roster);
  demandAbout(signature, proposed);
  return { roster: proposed, signatures: new Map(), by: 0 };
}

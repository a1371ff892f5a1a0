// The roster in force changes: this silo's operator signs a successor, one for each epoch; once a quorum of members has signed one, it is
// taken, and never given up for another (docs/protocol.md §2.2).

import { equalBytes, LIMITS } from '../../base/index.js';
import { decode, Roster as RosterMessage, type SignedRoster, type SiloSuccessorSigned } from '../../wire/index.js';
import { equalEnvelopes } from '../envelope.js';
import { demand } from '../rejection.js';
import { hash, LABELS } from '../../crypto/index.js';
import { demandAbout, openSuccession, openSuccessorSignature, readSuccessor, rosterOfEpoch } from '../succession.js';
import { submit, type Accepted, type JournalledEvent } from './event.js';
import type { SiloState } from './state.js';

/** Durable before it is handed in: whatever happens to this program, it signs no other successor of the roster in force. */
export function onSuccessorSigned(
  state: SiloState,
  event: JournalledEvent,
  value: SiloSuccessorSigned,
): Accepted<SiloState> {
  const { self, successor } = state;
  const signature = openSuccessorSignature(self.roster, value.signature);
  const { envelope } = signature;
  demand(signature.silo === self.siloId, 'envelope/wrong-signer', "the signature is another silo's.");
  if (successor !== undefined) {
    demand(
      equalEnvelopes(successor.envelope, envelope),
      'roster/second-successor',
      `this silo has signed another successor of epoch ${String(self.roster.epoch)}.`,
      'state',
    );
    return { state, effects: [submit(envelope)] };
  }
  demandAbout(signature, readSuccessor(self.roster, value.roster));
  return {
    state: { ...state, successor: { envelope, roster: value.roster } },
    effects: [{ kind: 'persist', event, emitted: [] }, submit(envelope)],
  };
}

/** Shown by the coordinator to every member; changes nothing until the silo's operator signs it. */
export function onRosterProposed(state: SiloState, { roster, signatures }: SignedRoster): Accepted<SiloState> {
  const proposed = readSuccessor(state.self.roster, roster);
  demand(signatures.length > 0, 'roster/too-few', 'a roster that no member has signed is proposed by nobody.');
  // Who is said to have signed is shown to a person, who decides by it.
  for (const envelope of signatures) demandAbout(openSuccessorSignature(state.self.roster, envelope), proposed);
  return { state, effects: [{ kind: 'ask-about-roster', proposed, signatures }] };
}

export function onRosterTaken(state: SiloState, event: JournalledEvent, value: SignedRoster): Accepted<SiloState> {
  const { self } = state;
  const { epoch } = decode(RosterMessage, 'roster', value.roster, LIMITS.manifestBytes);
  if (epoch <= self.roster.epoch) {
    // Shown again after a reconnect. What came before the pinned one is not this silo's to judge.
    const known = rosterOfEpoch(self.roster, epoch);
    demand(
      known === undefined || equalBytes(known.hash, hash(LABELS.roster, value.roster)),
      'roster/epoch',
      `another roster of epoch ${String(epoch)} is in force here.`,
    );
    return { state, effects: [] };
  }
  const roster = openSuccession(self.roster, value.roster, value.signatures);
  return {
    state: { ...state, self: { ...self, roster }, successor: undefined },
    effects: [
      { kind: 'persist', event, emitted: [] },
      { kind: 'keep-roster', roster },
    ],
  };
}

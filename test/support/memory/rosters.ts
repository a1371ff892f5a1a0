// Rosters that follow one another, signed by members as their operators do.

import { hash, LABELS } from '../../../src/crypto/index.js';
import { seal, type Roster } from '../../../src/protocol/index.js';
import { decode, encode, Roster as RosterMessage, Successor, type Envelope } from '../../../src/wire/index.js';
import type { MemoryConsortium } from './consortium.js';
import { keyFrom } from './founding.js';

export type RosterEdit = (roster: RosterMessage) => Partial<RosterMessage>;

/** The next epoch, with what `change` makes of it. */
export function successorOf(present: Roster, change: RosterEdit = () => ({})): Uint8Array {
  const before = decode(RosterMessage, 'roster', present.payload, 1 << 20);
  const next = { ...before, epoch: present.epoch + 1n, previousRosterHash: present.hash };
  const changed = { ...next, ...change(next) };
  const governance = { successorQuorum: Math.floor((2 * changed.members.length) / 3) + 1 };
  return encode(RosterMessage, { ...changed, governance });
}

export const without =
  (...evicted: string[]): RosterEdit =>
  ({ members }) => ({ members: members.filter(({ siloId }) => !evicted.includes(siloId)) });

/** With the roster inside, as whoever proposes it signs it. */
export function signedSuccessor(
  present: Roster,
  silo: string,
  roster: Uint8Array,
  changes: Partial<Successor> = {},
): Envelope {
  return seal(keyFrom(silo), `silo/${silo}`, 'successor', Successor, {
    siloId: silo,
    epoch: present.epoch + 1n,
    previousRosterHash: present.hash,
    rosterHash: hash(LABELS.roster, roster),
    reason: 'its agent is not what it says',
    atUnixMs: 1n,
    roster,
    ...changes,
  });
}

/** The silo's operator signs: the agent is fed what the command wrote. */
export function sign(consortium: MemoryConsortium, index: number, roster: Uint8Array, proposes = false): void {
  const silo = consortium.silos[index]!;
  const changes = proposes ? {} : { roster: new Uint8Array() };
  const signature = signedSuccessor(silo.state.self.roster, silo.id, roster, changes);
  silo.feed({ $case: 'successorSigned', value: { signature, roster } });
}

/** Everybody else signs a roster without this silo. */
export function evict(consortium: MemoryConsortium, evicted: string): Uint8Array {
  const roster = successorOf(consortium.coordinator.self.roster, without(evicted));
  const others = consortium.silos.filter(({ id }) => id !== evicted);
  others.forEach(({ index }, k) => {
    sign(consortium, index, roster, k === 0);
  });
  return roster;
}

// How one roster follows another (docs/protocol.md §2.2): members of the one in force sign its successor, floor(2N/3)+1 of them put it in
// force. The coordinator gathers signatures and has none of its own. Silos, coordinator, authority and auditors use the same checks.

import { asSiloId, equalBytes, hex, LIMITS, type SiloId } from '../base/index.js';
import { hash, LABELS } from '../crypto/index.js';
import { decode, encode, Roster as RosterMessage, RosterChain, Successor, type Envelope } from '../wire/index.js';
import { openEnvelope } from './envelope.js';
import { thresholdFor } from './params.js';
import { demand, demanded } from './rejection.js';
import { readRoster, siloSigner, type Roster } from './roster.js';

/** How many members of a roster put its successor in force: two such sets share more than a third of them. */
export function successionQuorum({ members }: Roster): number {
  return thresholdFor(members.size);
}

/**
 * A roster that could follow `present`, by its bytes alone; who has signed it is another matter. Throws Refusal `roster/invalid`,
 * `roster/epoch`, `roster/fixed`, `roster/keys`.
 */
export function readSuccessor(present: Roster, payload: Uint8Array): Roster {
  const next = readRoster(payload, undefined, present.verify);
  const { epoch, previousRosterHash } = decode(RosterMessage, 'roster', payload, LIMITS.manifestBytes);
  demand(
    epoch === present.epoch + 1n && equalBytes(previousRosterHash, present.hash),
    'roster/epoch',
    `in force is epoch ${String(present.epoch)}, ${hex(present.hash)}; this one is epoch ${String(epoch)} after ${hex(previousRosterHash)}.`,
    'state',
  );
  const kept = (before: Uint8Array | undefined, after: Uint8Array | undefined): boolean =>
    before === undefined ? after === undefined : after !== undefined && equalBytes(before, after);
  demand(
    next.consortiumId === present.consortiumId &&
      kept(present.keyOf('coordinator'), next.keyOf('coordinator')) &&
      kept(present.logKey, next.logKey),
    'roster/fixed',
    "it changes the consortium's name, the coordinator's key or the log's.",
  );
  for (const [silo, { signingKey, cosigningKey }] of next.members)
    for (const roster of epochsOf(present))
      for (const [id, member] of roster.members)
        demand(
          id === silo
            ? equalBytes(member.signingKey, signingKey) && equalBytes(member.cosigningKey, cosigningKey)
            : ![member.signingKey, member.cosigningKey].some(
                (key) => equalBytes(key, signingKey) || equalBytes(key, cosigningKey),
              ),
          'roster/keys',
          id === silo ? `it gives ${silo} other keys than before.` : `${silo} has a key of ${id}.`,
        );
  return next;
}

export interface SuccessorSignature {
  readonly silo: SiloId;
  readonly message: Successor;
  readonly envelope: Envelope;
}

/** A signature of a member of `present` on a successor of it. Throws Refusal `envelope/…`, `roster/epoch`, `roster/signature`. */
export function openSuccessorSignature(present: Roster, envelope: Envelope | undefined): SuccessorSignature {
  const given = demanded(envelope, 'envelope/wrong-type', 'expected a signature on a roster, got nothing.');
  const silo = asSiloId(given.signer.replace(/^silo\//, ''));
  demand(
    silo !== undefined && siloSigner(silo) === given.signer && present.members.has(silo),
    'roster/signature',
    `"${given.signer.slice(0, 80)}" is no silo of epoch ${String(present.epoch)}.`,
    'membership',
  );
  const { message } = openEnvelope(present, given, { type: 'successor', signer: given.signer }, Successor);
  demand(message.siloId === silo, 'roster/signature', `the signature of ${silo} names another silo.`);
  demand(
    message.epoch === present.epoch + 1n && equalBytes(message.previousRosterHash, present.hash),
    'roster/epoch',
    `${silo} has signed a roster of epoch ${String(message.epoch)}, in force is epoch ${String(present.epoch)}.`,
    'state',
  );
  return { silo, message, envelope: given };
}

/** That the signature is about this roster. Throws Refusal `roster/signature`. */
export function demandAbout({ silo, message }: SuccessorSignature, roster: Pick<Roster, 'hash'>): void {
  demand(
    equalBytes(message.rosterHash, roster.hash),
    'roster/signature',
    `${silo} has signed the roster ${hex(message.rosterHash)}, this one is ${hex(roster.hash)}.`,
  );
}

/** The next roster, with enough signatures of distinct members of the present one. Throws Refusal `roster/…`, `envelope/…`. */
export function openSuccession(present: Roster, payload: Uint8Array, signatures: readonly Envelope[]): Roster {
  const next = readSuccessor(present, payload);
  const signed = new Map<SiloId, Envelope>();
  for (const envelope of signatures) {
    const signature = openSuccessorSignature(present, envelope);
    demandAbout(signature, next);
    signed.set(signature.silo, envelope);
  }
  const needed = successionQuorum(present);
  demand(
    signed.size >= needed,
    'roster/too-few',
    `${String(signed.size)} of ${String(present.members.size)} members have signed the successor of epoch ${String(present.epoch)}, ${String(needed)} are needed.`,
  );
  return { ...next, succeeds: { roster: present, signatures: [...signed.values()] } };
}

/** This roster and those it followed, newest first, back to the pinned one. */
export function* epochsOf(roster: Roster): Generator<Roster> {
  for (let at: Roster | undefined = roster; at !== undefined; at = at.succeeds?.roster) yield at;
}

export function rosterOfEpoch(roster: Roster, epoch: bigint): Roster | undefined {
  for (const one of epochsOf(roster)) if (one.epoch === epoch) return one;
  return undefined;
}

export function rosterWithHash(roster: Roster, rosterHash: Uint8Array): Roster | undefined {
  for (const one of epochsOf(roster)) if (equalBytes(one.hash, rosterHash)) return one;
  return undefined;
}

/** The successors of the pinned roster as they are stored and shown, oldest first. */
export function chainOf(roster: Roster): RosterChain {
  const rosters = [...epochsOf(roster)].flatMap(({ payload, succeeds }) =>
    succeeds === undefined ? [] : [{ roster: payload, signatures: [...succeeds.signatures] }],
  );
  return { rosters: rosters.reverse() };
}

export function encodeChain(roster: Roster): Uint8Array {
  return encode(RosterChain, chainOf(roster));
}

/**
 * Follows a chain from the roster that is pinned to its end. What comes before the pinned roster is passed over: a member that joined later
 * has pinned the one it joined with. Throws Refusal `roster/…`, `envelope/…`.
 */
export function followChain(pinned: Roster, { rosters }: RosterChain): Roster {
  let present = pinned;
  for (const { roster, signatures } of rosters) {
    const { epoch } = decode(RosterMessage, 'roster', roster, LIMITS.manifestBytes);
    if (epoch > present.epoch) present = openSuccession(present, roster, signatures);
    else if (epoch === present.epoch)
      demand(
        equalBytes(hash(LABELS.roster, roster), present.hash),
        'roster/epoch',
        `the chain has another roster at epoch ${String(epoch)} than the one known here.`,
      );
  }
  return present;
}

/** Bytes of a chain that a program reads: a few hundred epochs of the largest rosters. */
export const CHAIN_BYTES = 16 * 1024 * 1024;

/** As followChain, from the bytes of a file or a part. Throws WireError, too. */
export function readChain(pinned: Roster, bytes: Uint8Array): Roster {
  return followChain(pinned, decode(RosterChain, 'roster chain', bytes, CHAIN_BYTES));
}

export interface RosterChange {
  readonly removed: readonly SiloId[];
  readonly added: readonly SiloId[];
}

/** Which silos a successor removes and adds. */
export function changeOf(before: Roster, after: Roster): RosterChange {
  const without = (of: Roster, other: Roster): SiloId[] =>
    [...of.members.keys()].filter((id) => !other.members.has(id));
  return { removed: without(before, after), added: without(after, before) };
}

/** Silos of a job that the roster in force still has. */
export function standing(roster: Roster, silos: readonly SiloId[]): SiloId[] {
  return silos.filter((silo) => roster.members.has(silo));
}

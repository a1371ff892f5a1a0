// The roster: whose signature counts as whose. Verified once when it is loaded; a silo pins the hash of the one at which its chain begins,
// and takes others by signatures of their predecessors' members (succession.ts).

import {
  asSiloId,
  compareBytes,
  equalBytes,
  HASH_BYTES,
  hex,
  isName,
  LIMITS,
  utf8,
  type Hash,
  type SiloId,
} from '../base/index.js';
import { hash, isVerifyingKey, LABELS, verifySignature, type SignedType } from '../crypto/index.js';
import { decode, Roster as RosterMessage, type Envelope, type Member } from '../wire/index.js';
import { thresholdFor } from './params.js';
import { demand, demanded } from './rejection.js';

export type Verify = (publicKey: Uint8Array, type: SignedType, payload: Uint8Array, signature: Uint8Array) => boolean;

export interface Roster {
  readonly hash: Hash;
  /** The bytes that the hash is of. */
  readonly payload: Uint8Array;
  readonly consortiumId: string;
  readonly epoch: bigint;
  readonly members: ReadonlyMap<SiloId, Member>;
  /** Ed25519 key of the transparency log; undefined while the consortium keeps none. */
  readonly logKey: Uint8Array | undefined;
  /** Ed25519 key of a signer string ("silo/a", "coordinator", "operator/b"). */
  keyOf(signer: string): Uint8Array | undefined;
  readonly verify: Verify;
  /** The roster that it succeeded, with the signatures that made it so; undefined at the pinned one, where the chain begins. */
  readonly succeeds: { readonly roster: Roster; readonly signatures: readonly Envelope[] } | undefined;
}

export const COORDINATOR = 'coordinator';

export function siloSigner(silo: SiloId): string {
  return `silo/${silo}`;
}

const VERSION = 1;

/**
 * Parses and checks a roster. `expectedHash`: the pinned one. `verify`: which implementation of Ed25519 to trust (the auditor brings
 * its own). Throws Refusal `roster/…`.
 */
export function readRoster(payload: Uint8Array, expectedHash?: Uint8Array, verify: Verify = verifySignature): Roster {
  const rosterHash = hash(LABELS.roster, payload);
  demand(
    expectedHash === undefined || equalBytes(expectedHash, rosterHash),
    'roster/wrong-hash',
    `the roster has the hash ${hex(rosterHash)}, pinned is ${expectedHash === undefined ? 'none' : hex(expectedHash)}.`,
  );
  const message = decode(RosterMessage, 'roster', payload, LIMITS.manifestBytes);
  const valid = (holds: boolean, what: string): void => {
    demand(holds, 'roster/invalid', `the roster is not valid: ${what}.`);
  };
  valid(message.version === VERSION, `version ${String(message.version)}, this program knows ${String(VERSION)}`);
  valid(isName(message.consortiumId), 'the consortium id is not a name');
  valid(
    message.previousRosterHash.length === (message.epoch === 0n ? 0 : HASH_BYTES),
    'epoch 0 names no previous roster, every other epoch names one by its hash',
  );
  valid(message.members.length >= LIMITS.cohortMin, `it has fewer than ${String(LIMITS.cohortMin)} members`);
  valid(
    message.members.length <= LIMITS.rosterMembersMax,
    `it has more than ${String(LIMITS.rosterMembersMax)} members`,
  );

  // Said for whoever reads the file; what holds follows from the number of members.
  const quorum = thresholdFor(message.members.length);
  valid(
    (message.governance?.successorQuorum ?? quorum) === quorum,
    `it says that ${String(message.governance?.successorQuorum)} signatures make its successor, for ${String(message.members.length)} members it takes ${String(quorum)}`,
  );

  const keys = new Map<string, Uint8Array>();
  const seen = new Set<string>();
  const admit = (signer: string, key: Uint8Array): void => {
    valid(!keys.has(signer), `${signer} occurs twice`);
    admitKey(signer, key);
    keys.set(signer, key);
  };
  const admitKey = (owner: string, key: Uint8Array): void => {
    valid(isVerifyingKey(key), `a key of ${owner} is not a canonical Ed25519 key of prime order`);
    valid(!seen.has(hex(key)), `a key of ${owner} occurs twice`);
    seen.add(hex(key));
  };
  admit(COORDINATOR, message.coordinatorKey);
  if (message.logKey.length > 0) admitKey('the log', message.logKey);
  for (const [role, officers] of [
    ['operator', message.operators],
    ['auditor', message.auditors],
  ] as const)
    for (const officer of officers) {
      valid(isName(officer.id), `"${officer.id}" is not a name`);
      admit(`${role}/${officer.id}`, officer.signingKey);
    }
  const members = new Map<SiloId, Member>();
  let previous: Uint8Array | undefined;
  for (const member of message.members) {
    const id = demanded(asSiloId(member.siloId), 'roster/invalid', `"${member.siloId}" is not a name.`);
    const bytes = utf8(id);
    valid(previous === undefined || compareBytes(previous, bytes) < 0, 'members are not sorted by silo id');
    previous = bytes;
    admit(siloSigner(id), member.signingKey);
    admitKey(`${id} (cosigning)`, member.cosigningKey);
    valid(
      member.tlsIdentityUri === `spiffe://${message.consortiumId}/silo/${id}`,
      `${id} has the TLS identity "${member.tlsIdentityUri}"`,
    );
    members.set(id, member);
  }
  return {
    hash: rosterHash,
    payload,
    consortiumId: message.consortiumId,
    epoch: message.epoch,
    members,
    logKey: message.logKey.length === 0 ? undefined : message.logKey,
    keyOf: (signer) => keys.get(signer),
    verify,
    succeeds: undefined,
  };
}

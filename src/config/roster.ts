// The roster as people write it, and the roster message that follows from it. What can be derived is not written: TLS identities, order
// of members, quorum.

import { z } from 'zod';
import { compareBytes, equalBytes, LIMITS, utf8 } from '../base/index.js';
import { bytes32, name, strict } from './fields.js';
import { readConfig } from './read.js';

const officer = strict({ id: name, signingKey: bytes32 });

const DAY_MS = 86_400_000;

/** A day, or an instant in UTC. A day stands for its first millisecond, or for its last where `end`. */
const instant = (end: boolean) =>
  z
    .union([z.iso.date(), z.iso.datetime()], {
      error: 'expected a date (2026-01-31) or an instant (2026-01-31T12:00:00Z)',
    })
    .transform((text) => BigInt(Date.parse(text) + (end && !text.includes('T') ? DAY_MS - 1 : 0)));

const member = strict({
  silo: name,
  organisation: z.string().min(1).max(200),
  signingKey: bytes32,
  cosigningKey: bytes32,
  validFrom: instant(false),
  validUntil: instant(true),
}).check(({ value, issues }) => {
  if (value.validFrom >= value.validUntil)
    issues.push({ code: 'custom', path: ['validUntil'], message: 'not after validFrom', input: value });
  if (equalBytes(value.signingKey, value.cosigningKey))
    issues.push({ code: 'custom', path: ['cosigningKey'], message: 'the same key as signingKey', input: value });
});

const roster = () =>
  strict({
    consortium: name,
    operators: z.array(officer).min(1),
    auditors: z.array(officer).default([]),
    members: z.array(member).min(LIMITS.cohortMin).max(LIMITS.rosterMembersMax),
    coordinatorKey: bytes32,
    logKey: bytes32.optional(),
  }).check(({ value, issues }) => {
    const complain = (path: (string | number)[], what: string): void => {
      issues.push({ code: 'custom', path, message: what, input: value });
    };
    repeated(value.members.map(({ silo }) => silo)).forEach((i) => {
      complain(['members', i, 'silo'], 'named twice');
    });
    repeated(value.operators.map(({ id }) => id)).forEach((i) => {
      complain(['operators', i, 'id'], 'named twice');
    });
    repeated(value.auditors.map(({ id }) => id)).forEach((i) => {
      complain(['auditors', i, 'id'], 'named twice');
    });
  });

export type RosterFile = z.output<ReturnType<typeof roster>>;

/** Throws ConfigError with every bad field. */
export async function readRosterFile(path: string): Promise<RosterFile> {
  return readConfig<RosterFile>(path, roster);
}

/** The fields of the wire message Roster, which this room does not import: the compiler holds the two equal where they meet. */
export interface RosterContents {
  version: number;
  consortiumId: string;
  epoch: bigint;
  previousRosterHash: Uint8Array;
  operators: { id: string; signingKey: Uint8Array }[];
  auditors: { id: string; signingKey: Uint8Array }[];
  members: {
    siloId: string;
    signingKey: Uint8Array;
    cosigningKey: Uint8Array;
    tlsIdentityUri: string;
    organisation: string;
    validFromUnixMs: bigint;
    validUntilUnixMs: bigint;
  }[];
  coordinatorKey: Uint8Array;
  logKey: Uint8Array;
  governance: { successorQuorum: number };
}

/** The genesis roster, epoch 0. Equal files give equal contents, whatever the order of their members. */
export function rosterFromFile(file: RosterFile): RosterContents {
  const members = [...file.members].sort((a, b) => compareBytes(utf8(a.silo), utf8(b.silo)));
  return {
    version: 1,
    consortiumId: file.consortium,
    epoch: 0n,
    previousRosterHash: new Uint8Array(),
    operators: file.operators.map(({ id, signingKey }) => ({ id, signingKey })),
    auditors: file.auditors.map(({ id, signingKey }) => ({ id, signingKey })),
    members: members.map(({ silo, organisation, signingKey, cosigningKey, validFrom, validUntil }) => ({
      siloId: silo,
      signingKey,
      cosigningKey,
      tlsIdentityUri: `spiffe://${file.consortium}/silo/${silo}`,
      organisation,
      validFromUnixMs: validFrom,
      validUntilUnixMs: validUntil,
    })),
    coordinatorKey: file.coordinatorKey,
    logKey: file.logKey ?? new Uint8Array(),
    governance: { successorQuorum: Math.floor((2 * members.length) / 3) + 1 },
  };
}

/** Positions of values that occurred before. */
function repeated(values: readonly string[]): number[] {
  return values.flatMap((value, i) => (values.indexOf(value) < i ? [i] : []));
}

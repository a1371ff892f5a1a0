// Envelopes and the roster: whose signature counts as whose (docs/protocol.md §2.1, §2.2).

import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/base/index.js';
import {
  COORDINATOR,
  equalEnvelopes,
  openEnvelope,
  readRoster,
  Refusal,
  seal,
  siloSigner,
} from '../../../src/protocol/index.js';
import { encode, ReleaseQuery, Roster as RosterMessage, WireError, type Envelope } from '../../../src/wire/index.js';
import { found, keyFrom, rosterOf, siloNames } from '../../support/memory/founding.js';

const founded = found(4);
const [silo, other] = founded.silos;
const message = { rid: new Uint8Array(32).fill(5), attempt: 1 };
const envelope = seal(founded.keyOf(silo!), siloSigner(silo!), 'release-query', ReleaseQuery, message);
const expected = { type: 'release-query', signer: siloSigner(silo!) } as const;

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof Refusal || error instanceof WireError) return error.code;
    throw error;
  }
  return 'accepted';
}

describe('an envelope', () => {
  const opened = (
    given: Envelope | undefined,
    want: Parameters<typeof openEnvelope>[2] = expected,
    max?: number,
  ): string => codeOf(() => openEnvelope(founded.roster, given, want, ReleaseQuery, max));

  it('is accepted with the bytes that were signed', () => {
    expect(opened(envelope)).toBe('accepted');
    expect(openEnvelope(founded.roster, envelope, expected, ReleaseQuery).message).toEqual(message);
  });
  it('is refused when there is none', () => {
    expect(opened(undefined)).toBe('envelope/wrong-type');
  });
  it('is refused under another type, also when that type is what was signed', () => {
    expect(opened({ ...envelope, type: 'abort' })).toBe('envelope/wrong-type');
    const relabelled = { ...envelope, signature: founded.keyOf(silo!).sign('abort', envelope.payload) };
    expect(opened(relabelled)).toBe('envelope/bad-signature');
  });
  it('is refused from another signer', () => {
    expect(opened({ ...envelope, signer: siloSigner(other!) })).toBe('envelope/wrong-signer');
    expect(opened(envelope, { ...expected, signer: COORDINATOR })).toBe('envelope/wrong-signer');
  });
  it('is refused when the signer is not in the roster', () => {
    const stranger = seal(keyFrom('stranger'), 'silo/stranger', 'release-query', ReleaseQuery, message);
    expect(opened(stranger, { ...expected, signer: 'silo/stranger' })).toBe('envelope/unknown-signer');
  });
  it('is refused when any bit of payload or signature was changed', () => {
    for (let bit = 0; bit < envelope.payload.length * 8; bit += 7) {
      const payload = envelope.payload.map((byte, k) => (k === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
      expect(opened({ ...envelope, payload })).toBe('envelope/bad-signature');
    }
    for (let bit = 0; bit < 512; bit += 13) {
      const signature = envelope.signature.map((byte, k) => (k === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
      expect(opened({ ...envelope, signature })).toBe('envelope/bad-signature');
    }
    expect(opened({ ...envelope, signature: envelope.signature.slice(1) })).toBe('envelope/bad-signature');
    expect(opened({ ...envelope, signature: new Uint8Array() })).toBe('envelope/bad-signature');
  });
  it('is refused when it is larger than it may be, before its signature is looked at', () => {
    expect(opened(envelope, expected, envelope.payload.length - 1)).toBe('envelope/bad-signature');
    const payload = new Uint8Array(LIMITS.envelopePayloadBytes + 1);
    const large = { ...envelope, payload, signature: founded.keyOf(silo!).sign('release-query', payload) };
    expect(opened(large)).toBe('envelope/bad-signature');
  });
  it('is refused when what was signed does not parse', () => {
    const payload = Uint8Array.of(0x0a, 0xff);
    const broken = { ...envelope, payload, signature: founded.keyOf(silo!).sign('release-query', payload) };
    expect(opened(broken)).toBe('wire/malformed');
  });
  it('equals another one only in all of its four parts', () => {
    expect(equalEnvelopes(envelope, { ...envelope, payload: envelope.payload.slice() })).toBe(true);
    for (const change of [
      { type: 'ack' },
      { signer: 'x' },
      { payload: new Uint8Array() },
      { signature: new Uint8Array() },
    ])
      expect(equalEnvelopes(envelope, { ...envelope, ...change })).toBe(false);
  });
  it('of one silo does not pass for a message of another, though both sign the same words', () => {
    const theirs = { ...envelope, signer: siloSigner(other!) };
    expect(opened(theirs, { ...expected, signer: siloSigner(other!) })).toBe('envelope/bad-signature');
  });
});

describe('a roster', () => {
  const base = rosterOf(siloNames(4));
  const read = (change: Partial<RosterMessage>): string =>
    codeOf(() => readRoster(encode(RosterMessage, { ...base, ...change })));
  const member = (k: number, change: Partial<(typeof base.members)[number]>): Partial<RosterMessage> => ({
    members: base.members.map((one, i) => (i === k ? { ...one, ...change } : one)),
  });
  /** Of order 1, 2 and 8, not canonical, not on the curve. test/unit/crypto has those of mixed order. */
  const WEAK = [
    '0100000000000000000000000000000000000000000000000000000000000000',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    '0200000000000000000000000000000000000000000000000000000000000000',
  ].map((text) => Uint8Array.from(Buffer.from(text, 'hex')));

  it('is read when it keeps every rule', () => {
    expect(read({})).toBe('accepted');
  });
  it('is refused under another hash than the pinned one', () => {
    const bytes = encode(RosterMessage, base);
    expect(codeOf(() => readRoster(bytes, new Uint8Array(32)))).toBe('roster/wrong-hash');
    expect(codeOf(() => readRoster(bytes, readRoster(bytes).hash))).toBe('accepted');
  });
  const REFUSED: [string, Partial<RosterMessage>][] = [
    ['of another version', { version: 2 }],
    ['of a consortium whose id is no name', { consortiumId: 'A consortium' }],
    ['of a later epoch that names no predecessor', { epoch: 1n }],
    ['that follows another one', { previousRosterHash: new Uint8Array(32) }],
    ['with two members', { members: base.members.slice(0, 2) }],
    ['with 401 members', { members: Array.from({ length: 401 }, () => base.members[0]!) }],
    ['whose members are not sorted', { members: [...base.members].reverse() }],
    ['with a member twice', { members: [base.members[0]!, ...base.members] }],
    ['with a member whose id is no name', member(1, { siloId: 'Silo 1' })],
    ['with the TLS identity of another member', member(1, { tlsIdentityUri: base.members[0]!.tlsIdentityUri })],
    ['with the signing key of another member', member(1, { signingKey: base.members[0]!.signingKey })],
    [
      "with a cosigning key that is another member's signing key",
      member(1, { cosigningKey: base.members[0]!.signingKey }),
    ],
    ['with one key for signing and cosigning', member(1, { cosigningKey: base.members[1]!.signingKey })],
    ["with the coordinator's key for a member", member(1, { signingKey: base.coordinatorKey })],
    ['with a log key that is the coordinator key', { logKey: base.coordinatorKey }],
    ['with an operator twice', { operators: [base.operators[0]!, base.operators[0]!] }],
    ['with an operator whose id is no name', { operators: [{ ...base.operators[0]!, id: 'Olga' }] }],
    ['with a key that is too short', member(1, { signingKey: base.members[1]!.signingKey.slice(1) })],
    ['that states another quorum for its successor than holds', { governance: { successorQuorum: 2 } }],
    ['without a coordinator key', { coordinatorKey: new Uint8Array() }],
  ];
  for (const [what, change] of REFUSED)
    it(`is refused ${what}`, () => {
      expect(read(change)).toBe('roster/invalid');
    });
  it('is refused with a key that is weak, in whichever place', () => {
    for (const key of WEAK) {
      expect(read(member(0, { signingKey: key }))).toBe('roster/invalid');
      expect(read(member(0, { cosigningKey: key }))).toBe('roster/invalid');
      expect(read({ coordinatorKey: key })).toBe('roster/invalid');
      expect(read({ logKey: key })).toBe('roster/invalid');
    }
  });
  it('knows the keys of its roles and no others', () => {
    const { roster } = founded;
    for (const signer of [COORDINATOR, 'operator/olga', 'auditor/ada', siloSigner(silo!)])
      expect(roster.keyOf(signer)).toBeDefined();
    for (const signer of ['', 'silo/', 'olga', 'silo/stranger', 'operator/ada', 'log'])
      expect(roster.keyOf(signer)).toBeUndefined();
  });
});

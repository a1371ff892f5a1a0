// P1: which keys a silo and the coordinator refuse (docs/protocol.md §2.3).

import { describe, expect, it } from 'vitest';
import { AdvertiseKeys, type Envelope } from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { bySilo } from '../../support/memory/readings.js';
import { refusedByCoordinator, refusedBySilo, until, untilSent, type BodyOf } from '../../support/memory/refusals.js';

type Keys = BodyOf<'keys'>;

const consortium = new MemoryConsortium(5, { manifest: { roundLimit: 1 } });
const { founded, silos } = consortium;
const { silo, value } = until(consortium, 'keys');

/** The keys directive with the advertisement of one member changed and signed again by that member. */
function keys(
  index: number,
  change: (message: AdvertiseKeys) => Partial<AdvertiseKeys>,
): { $case: 'keys'; value: Keys } {
  const advertised = value.advertised.map((envelope, k) =>
    k === index ? bySilo(founded, silos[k]!.id, envelope, AdvertiseKeys, change) : envelope,
  );
  return { $case: 'keys', value: { ...value, advertised } };
}

const withList = (advertised: Envelope[]): { $case: 'keys'; value: Keys } => ({
  $case: 'keys',
  value: { ...value, advertised },
});
const parsed = (index: number): AdvertiseKeys => AdvertiseKeys.decode(value.advertised[index]!.payload);

/** u = 0, 1 and the two of order 8 (RFC 7748 §6.1, and D. J. Bernstein's list). */
const LOW_ORDER = [
  new Uint8Array(32),
  Uint8Array.of(1, ...new Uint8Array(31)),
  Uint8Array.from(Buffer.from('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800', 'hex')),
  Uint8Array.from(Buffer.from('5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157', 'hex')),
];

describe('a silo that is shown U1', () => {
  const REFUSED: [string, string, (message: AdvertiseKeys) => Partial<AdvertiseKeys>][] = [
    ['keys of another round', 'keys/wrong-round', () => ({ rid: new Uint8Array(32) })],
    ['keys of another attempt', 'keys/wrong-round', () => ({ attempt: 2 })],
    ['keys for another model', 'keys/model', () => ({ modelHash: new Uint8Array(32) })],
    ['keys with a checkpoint', 'keys/reserved', () => ({ checkpoint: Uint8Array.of(1) })],
    ['keys whose last Ack is no hash', 'keys/reserved', () => ({ lastAckHash: new Uint8Array(31) })],
    ['a channel key that is too short', 'keys/low-order', () => ({ channelKey: new Uint8Array(31).fill(9) })],
    ['a mask key that is too long', 'keys/low-order', () => ({ maskKey: new Uint8Array(33).fill(9) })],
    ["a mask key that repeats another member's", 'keys/repeated', () => ({ maskKey: parsed(1).maskKey })],
    [
      "a channel key that repeats another member's mask key",
      'keys/repeated',
      () => ({ channelKey: parsed(1).maskKey }),
    ],
    ['one key for both uses', 'keys/repeated', ({ maskKey }) => ({ channelKey: maskKey })],
    ['keys signed for another index', 'envelope/wrong-signer', () => ({ index: 3 })],
  ];
  for (const [what, code, change] of REFUSED)
    it(`refuses ${what}`, () => {
      expect(refusedBySilo(silo, keys(2, change))).toBe(code);
    });

  it('refuses every key of low order', () => {
    for (const low of LOW_ORDER) {
      expect(
        refusedBySilo(
          silo,
          keys(2, () => ({ channelKey: low })),
        ),
      ).toBe('keys/low-order');
      expect(
        refusedBySilo(
          silo,
          keys(2, () => ({ maskKey: low })),
        ),
      ).toBe('keys/low-order');
    }
  });

  it('refuses a set without its own keys', () => {
    expect(refusedBySilo(silo, withList(value.advertised.slice(1)))).toBe('keys/own-entry');
  });

  it('refuses a set with its own keys swapped for others that it signed', () => {
    expect(
      refusedBySilo(
        silo,
        keys(0, () => ({ maskKey: new Uint8Array(32).fill(9) })),
      ),
    ).toBe('keys/own-entry');
  });

  it('refuses fewer distinct members than the threshold', () => {
    expect(refusedBySilo(silo, withList(value.advertised.slice(0, 3)))).toBe('keys/too-few');
  });

  it('refuses a member twice, which would count toward the threshold', () => {
    const [a, b, c] = value.advertised;
    expect(refusedBySilo(silo, withList([a!, b!, c!, c!]))).toBe('keys/repeated');
  });

  it('refuses members out of order', () => {
    const [a, b, c, d] = value.advertised;
    expect(refusedBySilo(silo, withList([a!, c!, b!, d!]))).toBe('keys/repeated');
  });

  it('refuses keys whose signature does not verify', () => {
    const [first, ...rest] = value.advertised;
    const forged = { ...first!, signature: first!.signature.map((byte, k) => (k === 5 ? byte ^ 1 : byte)) };
    expect(refusedBySilo(silo, withList([forged, ...rest]))).toBe('envelope/bad-signature');
  });

  it('refuses keys signed by a silo that is not in the cohort', () => {
    const stranger = { ...value.advertised[0]!, signer: 'silo/silo-017' };
    expect(refusedBySilo(silo, withList([stranger, ...value.advertised.slice(1)]))).toBe('message/unexpected');
  });

  it('has nothing to say to keys of a round that is not open', () => {
    const sent = silo.sent.length;
    expect(refusedBySilo(silo, { $case: 'keys', value: { ...value, rid: new Uint8Array(32) } })).toBe('accepted');
    expect(refusedBySilo(silo, { $case: 'keys', value: { ...value, attempt: 2 } })).toBe('accepted');
    expect(silo.sent).toHaveLength(sent);
  });

  it('refuses a second set of keys for the same attempt', () => {
    silo.handle({ sequence: 1n, body: { $case: 'keys', value } });
    const sent = silo.sent.at(-1)!;
    expect(sent.type).toBe('share-header');
    expect(refusedBySilo(silo, withList(value.advertised.slice(0, 4)))).toBe('message/conflict');
    expect(refusedBySilo(silo, { $case: 'keys', value })).toBe('accepted');
    expect(silo.sent.at(-1)).toEqual(sent);
  });
});

describe('the coordinator', () => {
  const gathering = new MemoryConsortium(4, { manifest: { roundLimit: 1 } });
  const { silo: sender, envelope } = untilSent(gathering, 'advertise', 1);
  const tried = (change: Partial<AdvertiseKeys>): string =>
    refusedByCoordinator(
      gathering,
      sender.id,
      bySilo(gathering.founded, sender.id, envelope, AdvertiseKeys, () => change),
    );

  it('refuses keys of low order', () => {
    for (const low of LOW_ORDER) expect(tried({ maskKey: low })).toBe('keys/low-order');
  });
  it('refuses keys for another model', () => {
    expect(tried({ modelHash: new Uint8Array(32) })).toBe('keys/model');
  });
  it('answers keys of a round or attempt that is not open as late', () => {
    expect(tried({ rid: new Uint8Array(32) })).toBe('message/late');
    expect(tried({ attempt: 2 })).toBe('message/late');
  });
  it('answers the same keys again, and refuses other ones in their place', () => {
    gathering.receive(sender.id, { envelope, ciphertexts: [] });
    expect(refusedByCoordinator(gathering, sender.id, envelope)).toBe('accepted');
    expect(tried({ maskKey: new Uint8Array(32).fill(9) })).toBe('message/conflict');
  });
  it('does not close a phase whose keys are repeated between members', () => {
    const one = new MemoryConsortium(4, { manifest: { roundLimit: 1 } });
    const copied = untilSent(one, 'advertise', 0).envelope;
    const { maskKey } = AdvertiseKeys.decode(copied.payload);
    one.silos[3]!.tamper = (sent, ciphertexts) => ({
      envelope:
        sent.type === 'advertise'
          ? bySilo(one.founded, one.silos[3]!.id, sent, AdvertiseKeys, () => ({ maskKey }))
          : sent,
      ciphertexts,
    });
    one.receive(one.silos[0]!.id, { envelope: copied, ciphertexts: [] });
    one.run();
    // The culprit's message is refused on arrival, so that it cannot hold up the others.
    expect(one.job.closed[0]!.survivors).toEqual(one.silos.slice(0, 3).map(({ id }) => id));
    expect(one.rejections.map(({ rejection }) => rejection.code)).toContain('keys/repeated');
  });
});

// P2: which shares a silo and the coordinator refuse, and what they do about a dealer whose shares are wrong (docs/protocol.md §2.3).

import { describe, expect, it } from 'vitest';
import { decode, encode, HeaderBundle, ShareHeader, type Envelope } from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { bySilo, jobOf } from '../../support/memory/readings.js';
import { refusedByCoordinator, refusedBySilo, until, untilSent, type BodyOf } from '../../support/memory/refusals.js';
import { blobOf } from '../../support/memory/vectors.js';
import { hex } from '../../../src/base/index.js';

type Shares = BodyOf<'shares'>;

const consortium = new MemoryConsortium(5, { manifest: { roundLimit: 1 } });
const { founded, silos } = consortium;
const { silo, value } = until(consortium, 'shares');
const { headers } = decode(HeaderBundle, 'headers', consortium.blobs.get(hex(value.headers!.sha256))!, 1 << 20);

function shares(changed: readonly Envelope[], ciphertexts = value.ciphertexts): { $case: 'shares'; value: Shares } {
  const bytes = encode(HeaderBundle, { headers: [...changed] });
  const ref = blobOf(bytes);
  consortium.blobs.set(hex(ref.sha256), bytes);
  return { $case: 'shares', value: { ...value, headers: ref, ciphertexts } };
}

/** The header of one dealer changed and signed again by it. */
function dealt(
  index: number,
  change: (message: ShareHeader) => Partial<ShareHeader>,
): { $case: 'shares'; value: Shares } {
  return shares(headers.map((one, k) => (k === index ? bySilo(founded, silos[k]!.id, one, ShareHeader, change) : one)));
}

const entry =
  (k: number, change: Partial<ShareHeader['entries'][number]>) =>
  ({ entries }: ShareHeader): Partial<ShareHeader> => ({
    entries: entries.map((one, i) => (i === k ? { ...one, ...change } : one)),
  });

describe('a silo that is shown the headers and its own ciphertexts', () => {
  const REFUSED: [string, string, (message: ShareHeader) => Partial<ShareHeader>][] = [
    ['a header on another T1', 'share/wrong-transcript', () => ({ t1: new Uint8Array(32) })],
    ['a header with an entry too few', 'share/entries', ({ entries }) => ({ entries: entries.slice(1) })],
    ['a header with its entries out of order', 'share/entries', ({ entries }) => ({ entries: [...entries].reverse() })],
    [
      'a header with a recipient twice',
      'share/entries',
      ({ entries }) => ({ entries: [...entries.slice(0, 4), entries[3]!] }),
    ],
    [
      'a header with a commitment that is too short',
      'share/entries',
      entry(1, { selfShareCommitment: new Uint8Array(31) }),
    ],
    ['a header with an empty commitment to its secret', 'share/entries', () => ({ selfCommitment: new Uint8Array() })],
    [
      'a header with an ephemeral key of low order',
      'share/repeated-key',
      entry(1, { ephemeralKey: new Uint8Array(32) }),
    ],
    [
      'a header that uses an ephemeral key twice',
      'share/repeated-key',
      ({ entries }) => entry(1, { ephemeralKey: entries[2]!.ephemeralKey })({ entries } as ShareHeader),
    ],
    ['a header signed for another index', 'envelope/wrong-signer', () => ({ index: 3 })],
  ];
  for (const [what, code, change] of REFUSED)
    it(`refuses ${what}`, () => {
      expect(refusedBySilo(silo, dealt(2, change))).toBe(code);
    });

  it('refuses a ciphertext that is not the one its dealer signed, and stays ready for the right one', () => {
    const flipped = value.ciphertexts.map((one, k) =>
      k === 1 ? { ...one, ciphertext: one.ciphertext.map((b) => b ^ 1) } : one,
    );
    expect(refusedBySilo(silo, shares(headers, flipped))).toBe('share/ciphertext-hash');
  });

  it('refuses a share that was meant for another', () => {
    const swapped = value.ciphertexts.map((one, k) => ({
      ...one,
      ciphertext: value.ciphertexts[(k + 1) % 5]!.ciphertext,
    }));
    expect(refusedBySilo(silo, shares(headers, swapped))).toBe('share/ciphertext-hash');
  });

  it('refuses a delivery without one of its ciphertexts', () => {
    expect(refusedBySilo(silo, shares(headers, value.ciphertexts.slice(1)))).toBe('share/missing');
  });

  it('refuses headers of one dealer twice, or out of order', () => {
    expect(refusedBySilo(silo, shares([...headers, headers[4]!]))).toBe('share/entries');
    expect(refusedBySilo(silo, shares([headers[1]!, headers[0]!, ...headers.slice(2)]))).toBe('share/entries');
  });

  it('refuses to close U2 before it has checked the headers', () => {
    const closed = { rid: value.rid, attempt: 1, dealers: Uint8Array.of(0b11111) };
    expect(refusedBySilo(silo, { $case: 'sharesClosed', value: closed })).toBe('share/not-checked');
  });
});

describe('a silo that has checked its shares', () => {
  const one = new MemoryConsortium(5, { manifest: { roundLimit: 1 } });
  const late = one.silos[4]!;
  one.hooks.arrive = (sender, { type }) => sender !== late || type !== 'share-header';
  const { silo: ready, value: closed } = until(one, 'sharesClosed');

  it('refuses a U2 with a dealer whose header it has not checked', () => {
    const dealers = Uint8Array.of(0b11111);
    expect(refusedBySilo(ready, { $case: 'sharesClosed', value: { ...closed, dealers } })).toBe('share/not-checked');
  });
  it('refuses a U2 smaller than the threshold', () => {
    const dealers = Uint8Array.of(0b00111);
    expect(refusedBySilo(ready, { $case: 'sharesClosed', value: { ...closed, dealers } })).toBe('share/too-few');
  });
  it('refuses a U2 that is no bitmap over the cohort', () => {
    for (const dealers of [Uint8Array.of(0b101111), Uint8Array.of(0b1111, 0), new Uint8Array()])
      expect(refusedBySilo(ready, { $case: 'sharesClosed', value: { ...closed, dealers } })).toBe('share/too-few');
  });
  it('refuses a second U2 for the same attempt', () => {
    ready.handle({ sequence: 1n, body: { $case: 'sharesClosed', value: closed } });
    expect(jobOf(ready).open!.attempt.dealers!.members.size).toBe(4);
    const dealers = Uint8Array.of(0b00111);
    expect(refusedBySilo(ready, { $case: 'sharesClosed', value: { ...closed, dealers } })).toBe('message/conflict');
  });
});

describe('the coordinator', () => {
  const gathering = new MemoryConsortium(4, { manifest: { roundLimit: 1 } });
  const { silo: sender, envelope, ciphertexts } = untilSent(gathering, 'share-header', 1);
  const tried = (change: (message: ShareHeader) => Partial<ShareHeader>): string =>
    refusedByCoordinator(
      gathering,
      sender.id,
      bySilo(gathering.founded, sender.id, envelope, ShareHeader, change),
      ciphertexts,
    );

  it('refuses ciphertexts that do not match the signed header', () => {
    const short = ciphertexts.slice(1);
    const long = [...ciphertexts, ciphertexts[0]!];
    const swapped = [ciphertexts[1]!, ciphertexts[0]!, ...ciphertexts.slice(2)];
    for (const wrong of [short, long, swapped, []])
      expect(refusedByCoordinator(gathering, sender.id, envelope, wrong)).toBe('share/ciphertext-hash');
  });
  it('refuses a header of the wrong shape, so that it reaches nobody', () => {
    expect(tried(({ entries }) => ({ entries: entries.slice(1) }))).toBe('share/entries');
    expect(tried(entry(1, { ephemeralKey: new Uint8Array(32) }))).toBe('share/repeated-key');
  });
  it('answers a header on a T1 that is not open as late', () => {
    expect(tried(() => ({ t1: new Uint8Array(32) }))).toBe('message/late');
  });
  it('answers the same header again, and refuses another one in its place', () => {
    gathering.receive(sender.id, { envelope, ciphertexts: [...ciphertexts] });
    expect(refusedByCoordinator(gathering, sender.id, envelope, ciphertexts)).toBe('accepted');
    expect(tried(() => ({ selfCommitment: new Uint8Array(32) }))).toBe('message/conflict');
  });
  it('refuses a header of a silo that advertised no keys', () => {
    const one = new MemoryConsortium(5, { manifest: { roundLimit: 1 } });
    one.hooks.arrive = (from, { type }) => from.index !== 4 || type !== 'advertise';
    const { envelope: sample } = untilSent(one, 'share-header', 0);
    const stranger = one.silos[4]!;
    const forged = bySilo(one.founded, stranger.id, { ...sample, signer: `silo/${stranger.id}` }, ShareHeader, () => ({
      index: 4,
    }));
    expect(refusedByCoordinator(one, stranger.id, forged)).toBe('share/entries');
  });
});

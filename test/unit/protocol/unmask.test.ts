// P5: when a silo refuses to release, and which releases the coordinator refuses (docs/protocol.md §2.3).

import { describe, expect, it } from 'vitest';
import { commitShare } from '../../../src/crypto/index.js';
import { openRelease, orRejection, reconstruct } from '../../../src/protocol/index.js';
import { Consistency, ConsistencyRequest, Unmask, type Envelope } from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { commitsToAnother, allBut, byCoordinator, bySilo, jobOf, openedIn } from '../../support/memory/readings.js';
import { refusedByCoordinator, refusedBySilo, until, untilSent, type BodyOf } from '../../support/memory/refusals.js';

type Asked = BodyOf<'unmask'>;

/** n = 7, t = 5: silo 6 dealt no shares, silo 5 sent no input. */
function withDropouts(): MemoryConsortium {
  const consortium = new MemoryConsortium(7, { manifest: { roundLimit: 1 } });
  consortium.hooks.arrive = ({ index }, { type }) =>
    !(index === 6 && type === 'share-header') && !(index === 5 && type === 'masked-header');
  return consortium;
}

describe('a silo that is asked to release', () => {
  const consortium = withDropouts();
  const { founded, silos } = consortium;
  const { silo, value } = until(consortium, 'unmask', 1);
  const asked = (change: Partial<Asked>, one = silo): string =>
    refusedBySilo(one, { $case: 'unmask', value: { ...value, ...change } });
  const confirmed = (k: number, change: Partial<Consistency>): Envelope[] =>
    value.consistency.map((one, i) => (i === k ? bySilo(founded, silos[k]!.id, one, Consistency, () => change) : one));

  it('refuses fewer confirmations than the threshold', () => {
    expect(asked({ consistency: value.consistency.slice(1) })).toBe('unmask/too-few');
    expect(asked({ consistency: [] })).toBe('unmask/too-few');
  });
  it('refuses a confirmation twice, which would count toward the threshold', () => {
    expect(asked({ consistency: [...value.consistency.slice(0, 4), value.consistency[3]!] })).toBe('unmask/too-few');
  });
  it('refuses a confirmation of another T3', () => {
    expect(asked({ consistency: confirmed(2, { t3: new Uint8Array(32) }) })).toBe('unmask/wrong-transcript');
  });
  it('refuses a confirmation that is not signed by its member', () => {
    const forged = value.consistency.map((one, i) => (i === 2 ? { ...one, signature: new Uint8Array(64) } : one));
    expect(asked({ consistency: forged })).toBe('envelope/bad-signature');
  });
  it('refuses a confirmation of a silo outside U3', () => {
    const outside = silos[5]!;
    const sample = { ...value.consistency[4]!, signer: `silo/${outside.id}` };
    const forged = bySilo(founded, outside.id, sample, Consistency, () => ({ index: 5 }));
    expect(asked({ consistency: [...value.consistency.slice(0, 4), forged] })).toBe('unmask/not-survivor');
  });
  it('refuses another survivor set than the one it signed', () => {
    const request = byCoordinator(founded, value.request!, ConsistencyRequest, () => ({ sumHash: new Uint8Array(32) }));
    expect(asked({ request })).toBe('confirm/second-set');
  });
  it('refuses a request to name itself as dropped, though it holds a receipt', () => {
    // Not yet confirmed here: the same check is made of what others have signed.
    const one = new MemoryConsortium(5, { manifest: { roundLimit: 1 } });
    const { silo: early, value: told } = until(one, 'confirm', 1);
    const request = byCoordinator(one.founded, told.request!, ConsistencyRequest, ({ headers }) => ({
      survivors: Uint8Array.of(0b11101),
      headers: headers.filter((_, k) => k !== 1),
    }));
    expect(refusedBySilo(early, { $case: 'unmask', value: { request, consistency: [] } })).toBe('confirm/left-out');
  });
  it('refuses to release without being in U2', () => {
    const outside = silos[6]!;
    expect(jobOf(outside).open!.attempt.dealers!.members.has(6)).toBe(false);
    expect(asked({}, outside)).toBe('unmask/not-survivor');
  });

  it('releases shares of self masks of survivors and of mask keys of those who dropped, never both for one', () => {
    silo.handle({ sequence: 1n, body: { $case: 'unmask', value } });
    const release = Unmask.decode(silo.sent.at(-1)!.payload);
    expect(release.selfShares.map(({ dealer }) => dealer)).toEqual([0, 1, 2, 3, 4]);
    expect(release.keyShares.map(({ dealer }) => dealer)).toEqual([5]);
  });
  it('sends the same bytes again when it is asked again, and refuses another survivor set', () => {
    const sent = silo.sent.at(-1);
    expect(asked({})).toBe('accepted');
    expect(silo.sent.at(-1)).toEqual(sent);
    const request = byCoordinator(founded, value.request!, ConsistencyRequest, () => ({ sumHash: new Uint8Array(32) }));
    expect(asked({ request })).toBe('confirm/second-set');
  });
});

describe('a silo that dealt shares and did not survive', () => {
  it('checks the survivors by itself and releases its shares of the others', () => {
    const consortium = withDropouts();
    // Its own header was lost on the way: it holds no receipt, so being left out is in order.
    const gone = consortium.silos[5]!;
    consortium.run();
    expect(gone.sent.map(({ type }) => type)).not.toContain('consistency');
    expect(openedIn(consortium, 1)).toEqual(allBut(7, 5, 6));
    expect(consortium.job.closed[0]!.acks.size).toBe(7);
  });
});

describe('the coordinator that gathers releases', () => {
  const consortium = withDropouts();
  const { founded, silos } = consortium;
  const { silo, envelope } = untilSent(consortium, 'unmask', 1);
  const tried = (change: (message: Unmask) => Partial<Unmask>): string =>
    refusedByCoordinator(consortium, silo.id, bySilo(founded, silo.id, envelope, Unmask, change));

  it('refuses a share too few, too many, out of order or of the wrong kind', () => {
    expect(tried(({ selfShares }) => ({ selfShares: selfShares.slice(1) }))).toBe('unmask/shares');
    expect(tried(({ keyShares }) => ({ keyShares: [...keyShares, ...keyShares] }))).toBe('unmask/shares');
    expect(tried(({ selfShares }) => ({ selfShares: [...selfShares].reverse() }))).toBe('unmask/shares');
    expect(tried(({ selfShares, keyShares }) => ({ selfShares: keyShares, keyShares: selfShares }))).toBe(
      'unmask/shares',
    );
    expect(tried(({ keyShares, selfShares }) => ({ keyShares: [...selfShares.slice(0, 1), ...keyShares] }))).toBe(
      'unmask/shares',
    );
  });
  it('refuses a share that does not match its commitment', () => {
    const bent = (share: Uint8Array): Uint8Array => share.map((byte, k) => (k === 0 ? byte ^ 1 : byte));
    const first = ({ selfShares: [one, ...rest] }: Unmask): Partial<Unmask> => ({
      selfShares: [{ ...one!, share: bent(one!.share) }, ...rest],
    });
    expect(tried(first)).toBe('unmask/bad-share');
    expect(
      tried(({ keyShares }) => ({ keyShares: keyShares.map((one) => ({ ...one, share: bent(one.share) })) })),
    ).toBe('unmask/bad-share');
    expect(
      tried(({ selfShares }) => ({ selfShares: selfShares.map((one) => ({ ...one, share: new Uint8Array(31) })) })),
    ).toBe('unmask/bad-share');
  });
  it('answers a release on another T3 as late', () => {
    expect(tried(() => ({ t3: new Uint8Array(32) }))).toBe('message/late');
  });
  it('refuses a release of a silo outside U2', () => {
    const outside = silos[6]!;
    const forged = bySilo(founded, outside.id, { ...envelope, signer: `silo/${outside.id}` }, Unmask, () => ({
      index: 6,
    }));
    expect(refusedByCoordinator(consortium, outside.id, forged)).toBe('unmask/not-survivor');
  });
  it('answers the same release again, and refuses another one in its place', () => {
    consortium.receive(silo.id, { envelope, ciphertexts: [] });
    expect(refusedByCoordinator(consortium, silo.id, envelope)).toBe('accepted');
    const other = { ...envelope, signature: envelope.signature.map((byte) => byte ^ 1) };
    expect(refusedByCoordinator(consortium, silo.id, other)).toBe('envelope/bad-signature');
  });
  it('refuses a release that nobody has asked for yet', () => {
    const early = withDropouts();
    until(early, 'confirm', 1);
    const { survivors } = early.job.open!.attempt;
    const forged = bySilo(early.founded, silo.id, envelope, Unmask, () => ({ t3: survivors!.t3 }));
    expect(refusedByCoordinator(early, silo.id, forged)).toBe('message/unexpected');
  });
});

describe('a dealer whose shares are off the polynomial', () => {
  it('ends the attempt before anything is published, and is named', () => {
    const consortium = new MemoryConsortium(5, { manifest: { roundLimit: 1 } });
    const dealer = consortium.silos[2]!;
    commitsToAnother(consortium, dealer);
    const codes: string[] = [];
    consortium.hooks.arrive = (_, envelope) => {
      if (envelope.type !== 'unmask') return true;
      const { context, keys, dealers, survivors, releases } = consortium.job.open!.attempt;
      if (releases.size !== 3) return true;
      const last = openRelease(context, keys!, dealers!, survivors!, envelope);
      const tried = orRejection(() => reconstruct(keys!, dealers!, survivors!, [...releases.values(), last]));
      codes.push('rejected' in tried ? tried.rejected.code : 'accepted');
      const few = orRejection(() => reconstruct(keys!, dealers!, survivors!, [...releases.values()]));
      codes.push('rejected' in few ? few.rejected.code : 'accepted');
      return true;
    };
    consortium.run();
    expect(codes).toEqual(['unmask/bad-secret', 'unmask/too-few']);
    const [round] = consortium.job.closed;
    expect(round!.result).toBeUndefined();
    expect(round!.abandon).toBeDefined();
    expect(round!.notes.join()).toContain('self-mask secret of member 2');
    expect(consortium.openedSums.size).toBe(0);
    const burnt = consortium.silos.filter(({ notices }) => notices.some(({ code }) => code === 'round/burnt'));
    // Everybody who was asked before t had released.
    expect(burnt.length).toBeGreaterThanOrEqual(4);
  });

  it('cannot be blamed for a share that was meant for another transcript', () => {
    const share = new Uint8Array(32).fill(7);
    const [a, b] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    expect(commitShare('self', a, 0, 1, share)).not.toEqual(commitShare('self', b, 0, 1, share));
    expect(commitShare('self', a, 0, 1, share)).not.toEqual(commitShare('key', a, 0, 1, share));
    expect(commitShare('self', a, 0, 1, share)).not.toEqual(commitShare('self', a, 1, 0, share));
  });
});

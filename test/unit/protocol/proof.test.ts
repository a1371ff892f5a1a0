// A silo that is proven to have dealt wrong shares is out of the job for everybody who was shown the proof, whatever the coordinator does; and
// nobody is out without one (docs/protocol.md §2.9).

import { describe, expect, it } from 'vitest';
import { concat, u32be, unixMs, type Hash } from '../../../src/base/index.js';
import { hash, LABELS } from '../../../src/crypto/index.js';
import { openedKeys } from '../../../src/protocol/evidence.js';
import { evidenceOf, type Rejection } from '../../../src/protocol/index.js';
import { openProofs } from '../../../src/protocol/proof.js';
import {
  AdvertiseKeys,
  decode,
  Unmask,
  type Directive,
  type Envelope,
  type OpenedKeys,
  type OpenedShare,
  type StartDirective,
} from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { commitsToAnother, allBut, bySilo, jobOf, openedIn } from '../../support/memory/readings.js';
import { refusedBySilo, until } from '../../support/memory/refusals.js';

const DEALER = 2;

/** Shares of silo 2 match its commitments and do not give the secret it has committed to: the first round is burnt. */
function burnt(rounds: number): MemoryConsortium {
  const consortium = new MemoryConsortium(5, { manifest: { roundLimit: rounds } });
  const dealer = consortium.silos[DEALER]!;
  commitsToAnother(consortium, dealer);
  return consortium;
}

/** Just before silo 0 is told of the second round. */
function secondStart(): { consortium: MemoryConsortium; start: StartDirective } {
  const consortium = burnt(2);
  let start: StartDirective | undefined;
  const first = consortium.silos[0]!;
  consortium.hooks.deliver = (silo, { body }: Directive) => {
    if (silo !== first || body?.$case !== 'start' || consortium.job.closed.length === 0) return true;
    start = body.value;
    return false;
  };
  consortium.run(1);
  consortium.settle();
  consortium.time += 1_000;
  consortium.settle();
  if (start === undefined) throw new Error('silo 0 was never told of the second round');
  return { consortium, start };
}

const recordOf = (kept: Pick<Rejection, 'evidence' | 'exhibits'>): Uint8Array =>
  evidenceOf({ code: 'x', detail: '', evidence: kept.evidence, exhibits: kept.exhibits }, unixMs(1))!;

describe('a dealer that is proven to have cheated', () => {
  it('does not hold up the others: the next round is opened without it, though all had signed for a sum with it', () => {
    const consortium = burnt(2);
    consortium.run();
    expect(consortium.job.closed.map(({ result }) => result !== undefined)).toEqual([false, true]);
    expect(openedIn(consortium, 2)).toEqual(allBut(5, DEALER));
    for (const silo of consortium.silos.filter(({ index }) => index !== DEALER)) {
      expect([...jobOf(silo).excluded!]).toEqual([consortium.silos[DEALER]!.id]);
      const { state } = silo;
      silo.restart();
      expect(jobOf(silo).excluded).toEqual([...state.jobs.values()][0]!.excluded);
    }
  });

  it('holds up the others for ever where nobody is shown the proof', () => {
    const consortium = burnt(2);
    consortium.hooks.deliver = (_, directive) => {
      const { body } = directive;
      if (body?.$case !== 'start') return true;
      return { ...directive, body: { $case: 'start', value: { ...body.value, proofs: [] } } };
    };
    consortium.run();
    expect(consortium.job.closed.map(({ result }) => result)).toEqual([undefined, undefined]);
    expect(consortium.silos[0]!.rejections.map(({ code }) => code)).toContain('confirm/input-rule');
  });

  it('is in no set of keys that a silo accepts', () => {
    const consortium = burnt(2);
    consortium.run(1);
    const { silo, value } = until(consortium, 'keys');
    const dealer = consortium.silos[DEALER]!;
    const [own] = value.advertised;
    const again = bySilo(consortium.founded, dealer.id, own!, AdvertiseKeys, () => ({
      index: DEALER,
      channelKey: jobOf(silo).open!.attempt.advertised.payload.slice(0, 32),
      maskKey: jobOf(silo).open!.attempt.advertised.payload.slice(2, 34),
    }));
    const advertised = [...value.advertised.slice(0, DEALER), again, ...value.advertised.slice(DEALER)];
    expect(refusedBySilo(silo, { $case: 'keys', value: { ...value, advertised } })).toBe('message/barred');
    expect(value.advertised.map(({ signer }) => signer)).not.toContain(`silo/${dealer.id}`);
  });
});

describe('a start with proofs', () => {
  it('that convict nobody, or of something that a disk set back explains, or that are too many, is refused', () => {
    const { consortium, start } = secondStart();
    const [silo] = consortium.silos;
    const told = (...proofs: Uint8Array[]): string =>
      refusedBySilo(silo!, { $case: 'start', value: { ...start, proofs } });
    const [proof] = start.proofs;
    const { evidence, exhibits } = consortium.job.barred.get(consortium.silos[DEALER]!.id)!;
    expect(told(recordOf({ evidence, exhibits: undefined }))).toBe('plan/no-proof');
    expect(told(recordOf({ evidence: evidence.slice(1), exhibits }))).toBe('plan/no-proof');
    expect(told(proof!, recordOf({ evidence: [start.plan!], exhibits: undefined }))).toBe('plan/no-proof');
    expect(told(...Array.from({ length: 9 }, () => proof!))).toBe('plan/no-proof');
    // Two advertisements for one attempt convict, and put nobody out.
    const own = jobOf(consortium.silos[1]!).open!.attempt.advertised;
    const other = bySilo(consortium.founded, consortium.silos[1]!.id, own, AdvertiseKeys, ({ maskKey }) => ({
      channelKey: maskKey,
    }));
    expect(told(recordOf({ evidence: [own, other], exhibits: undefined }))).toBe('plan/no-proof');
    expect(told(Uint8Array.of(8, 9))).toBe('plan/no-proof');
    expect(told(proof!.slice(0, 40))).toMatch(/^wire\//);
    silo!.handle({ sequence: 1n << 61n, body: { $case: 'start', value: start } });
    expect([...jobOf(silo!).excluded!]).toEqual([consortium.silos[DEALER]!.id]);
  });
});

describe('a proof whose parts of T1 are cut otherwise', () => {
  const consortium = new MemoryConsortium(5, { manifest: { roundLimit: 1 } });
  const shown: { envelope: Envelope; keys: OpenedKeys; t1: Hash; shares: OpenedShare[] }[] = [];
  consortium.hooks.arrive = (_, envelope) => {
    if (envelope.type !== 'unmask') return true;
    const { context, keys, dealers } = consortium.job.open!.attempt;
    const { index, selfShares } = decode(Unmask, 'unmask', envelope.payload);
    const share = {
      dealer: 0,
      recipient: index,
      ofKey: false,
      share: selfShares.find(({ dealer }) => dealer === 0)!.share,
    };
    const before = shown.at(-1)?.shares ?? [];
    const { envelope: header } = dealers!.members.get(0)!;
    shown.push({ envelope: header, keys: openedKeys(context, keys!), t1: keys!.t1, shares: [...before, share] });
    return true;
  };
  consortium.run();

  const preimage = ({ rid, attempt, attemptHash, advertised }: OpenedKeys): Uint8Array =>
    concat(rid, u32be(attempt), attemptHash, ...advertised.flatMap((one) => [Uint8Array.of(1), one]));
  const cuts: [string, (keys: OpenedKeys) => OpenedKeys][] = [
    [
      'the first members are told to be part of what is before them',
      ({ attemptHash, advertised, ...more }) => ({
        ...more,
        attemptHash: concat(attemptHash, ...advertised.slice(0, -1).flatMap((one) => [Uint8Array.of(1), one])),
        advertised: advertised.slice(-1),
      }),
    ],
    [
      'two members are told to be one',
      ({ advertised: [first, second, ...others], ...more }) => ({
        ...more,
        advertised: [concat(first!, Uint8Array.of(1), second!), ...others],
      }),
    ],
  ];

  it.each(cuts)('frames no honest silo, though T1 is the same: %s', (_what, cut) => {
    const { envelope, keys, t1, shares } = shown.at(-1)!;
    const other = cut(keys);
    expect(hash(LABELS.t1, preimage(keys))).toEqual(t1);
    expect(hash(LABELS.t1, preimage(other))).toEqual(t1);
    // Fewer than its shares need, which is what the threshold of a smaller cohort would be.
    for (let few = 1; few < shares.length; few++) {
      const proof = recordOf({ evidence: [envelope], exhibits: { keys: other, shares: shares.slice(0, few) } });
      expect(() => openProofs(consortium.job.manifest, [proof])).toThrow(
        expect.objectContaining({ code: 'plan/no-proof' }),
      );
    }
  });
});

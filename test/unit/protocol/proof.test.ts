// A silo that is proven to have dealt wrong shares is out of the job for everybody who was shown the proof, whatever the coordinator does; and
// nobody is out without one (docs/protocol.md §2.9).

import { describe, expect, it } from 'vitest';
import { unixMs } from '../../../src/base/index.js';
import { hash, LABELS } from '../../../src/crypto/index.js';
import { evidenceOf, type Rejection } from '../../../src/protocol/index.js';
import { AdvertiseKeys, ShareHeader, type Directive, type StartDirective } from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { allBut, bySilo, jobOf, openedIn } from '../../support/memory/readings.js';
import { refusedBySilo, until } from '../../support/memory/refusals.js';

const DEALER = 2;

/** Shares of silo 2 match its commitments and do not give the secret it has committed to: the first round is burnt. */
function burnt(rounds: number): MemoryConsortium {
  const consortium = new MemoryConsortium(5, { manifest: { roundLimit: rounds } });
  const dealer = consortium.silos[DEALER]!;
  dealer.tamper = (envelope, ciphertexts) => ({
    envelope:
      envelope.type === 'share-header'
        ? bySilo(consortium.founded, dealer.id, envelope, ShareHeader, ({ t1 }) => ({
            selfCommitment: hash(LABELS.commitSelfSecret, t1, Uint8Array.of(0, DEALER), new Uint8Array(32)),
          }))
        : envelope,
    ciphertexts,
  });
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

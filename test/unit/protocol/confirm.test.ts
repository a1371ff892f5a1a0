// P4: which survivor sets a silo refuses to sign, and which confirmations the coordinator refuses (docs/protocol.md §2.3).

import { describe, expect, it } from 'vitest';
import { unixMs } from '../../../src/base/index.js';
import { advanceSilo } from '../../../src/protocol/index.js';
import { FINGERPRINT_PRIME } from '../../../src/vector/index.js';
import { Consistency, ConsistencyRequest, MaskedHeader, type Envelope } from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { openPolicy } from '../../support/memory/founding.js';
import { byCoordinator, bySilo, jobOf } from '../../support/memory/readings.js';
import { refusedByCoordinator, refusedBySilo, until, untilSent } from '../../support/memory/refusals.js';

const consortium = new MemoryConsortium(7, { manifest: { roundLimit: 1 } });
const { founded, silos } = consortium;
// Silo 6 dealt no shares, silo 5 sent no input: U2 is 0..5, U3 is 0..4, t is 5.
consortium.hooks.arrive = ({ index }, { type }) =>
  !(index === 6 && type === 'share-header') && !(index === 5 && type === 'masked-header');
const { silo, value } = until(consortium, 'confirm', 1);
const request = value.request!;

const asked = (change: (message: ConsistencyRequest) => Partial<ConsistencyRequest>): string =>
  refusedBySilo(silo, {
    $case: 'confirm',
    value: { request: byCoordinator(founded, request, ConsistencyRequest, change) },
  });
const header = (k: number, change: Partial<MaskedHeader>): ((m: ConsistencyRequest) => Partial<ConsistencyRequest>) => {
  return ({ headers }) => ({
    headers: headers.map((one, i) => (i === k ? bySilo(founded, silos[k]!.id, one, MaskedHeader, () => change) : one)),
  });
};

describe('a silo that is asked to confirm the survivors', () => {
  it('refuses fewer survivors than the threshold', () => {
    expect(asked(({ headers }) => ({ survivors: Uint8Array.of(0b01111), headers: headers.slice(0, 4) }))).toBe(
      'confirm/too-few',
    );
  });
  it('refuses a survivor outside U2', () => {
    expect(asked(() => ({ survivors: Uint8Array.of(0b1011111) }))).toBe('confirm/not-dealer');
  });
  it('refuses survivors that are no bitmap over the cohort', () => {
    expect(asked(() => ({ survivors: Uint8Array.of(0b10011111) }))).toBe('confirm/headers');
    expect(asked(() => ({ survivors: Uint8Array.of(0b11111, 0) }))).toBe('confirm/headers');
  });
  it('refuses a survivor without a masked header, and a header without a survivor', () => {
    expect(asked(() => ({ survivors: Uint8Array.of(0b111111) }))).toBe('confirm/headers');
    expect(asked(({ headers }) => ({ headers: headers.slice(1) }))).toBe('confirm/headers');
  });
  it('refuses headers out of order, which could stand for one member twice', () => {
    expect(asked(({ headers }) => ({ headers: [headers[1]!, headers[0]!, ...headers.slice(2)] }))).toBe(
      'confirm/headers',
    );
    expect(asked(({ headers }) => ({ headers: [headers[0]!, headers[0]!, ...headers.slice(2)] }))).toBe(
      'confirm/headers',
    );
  });
  it('refuses a sum hash that has not 32 bytes', () => {
    expect(asked(() => ({ sumHash: new Uint8Array(31) }))).toBe('confirm/headers');
  });
  it('refuses a request on another T2', () => {
    expect(asked(() => ({ t2: new Uint8Array(32) }))).toBe('mask/wrong-transcript');
  });
  it('refuses a header on another T1, on another T2 or of another length', () => {
    expect(asked(header(0, { t1: new Uint8Array(32) }))).toBe('mask/wrong-transcript');
    expect(asked(header(0, { t2: new Uint8Array(32) }))).toBe('mask/wrong-transcript');
    expect(asked(header(0, { length: 9n }))).toBe('mask/wrong-transcript');
  });
  it('refuses a header under its own name that it did not sign', () => {
    expect(asked(header(1, { root: new Uint8Array(32).fill(3) }))).toBe('confirm/own-root');
  });
  it('refuses a header whose signature does not verify', () => {
    const forged = ({ headers }: ConsistencyRequest): Partial<ConsistencyRequest> => ({
      headers: headers.map((one, i) => (i === 0 ? { ...one, signature: new Uint8Array(64) } : one)),
    });
    expect(asked(forged)).toBe('envelope/bad-signature');
  });
  it('refuses a request that the coordinator did not sign', () => {
    const forged = { ...request, signature: new Uint8Array(64) };
    expect(refusedBySilo(silo, { $case: 'confirm', value: { request: forged } })).toBe('envelope/bad-signature');
  });
  it('has nothing to say to a request of another round or attempt', () => {
    expect(asked(() => ({ rid: new Uint8Array(32) }))).toBe('accepted');
    expect(asked(() => ({ attempt: 2 }))).toBe('accepted');
  });

  const event = { $case: 'confirmRequested', value } as const;
  const codeWith = (change: Parameters<typeof Object.assign>[1]): string => {
    const state = { ...silo.state, ...(change as object) };
    const done = advanceSilo(state, { at: unixMs(1), event });
    return 'rejected' in done ? done.rejected.code : 'accepted';
  };
  const withOpen = (change: object): object => {
    const job = jobOf(silo);
    return { jobs: new Map([[job.manifest.jobId, { ...job, open: { ...job.open!, ...change } }]]) };
  };

  it('refuses a set that may hold fewer honest inputs than its own policy wants', () => {
    // Five survivors, c = 1 in the manifest.
    const policy = (change: object): object => ({ self: { ...silo.state.self, policy: { ...openPolicy, ...change } } });
    expect(codeWith(policy({ minHonest: 5 }))).toBe('confirm/too-few');
    expect(codeWith(policy({ minHonest: 4 }))).toBe('accepted');
    expect(codeWith(policy({ minHonest: 4, maxMalicious: 2 }))).toBe('confirm/too-few');
  });
  it('refuses to sign in an attempt that it has aborted', () => {
    expect(codeWith(withOpen({ abortedThrough: 1 }))).toBe('confirm/aborted');
    expect(codeWith(withOpen({ abortedThrough: 0 }))).toBe('accepted');
  });
  it('refuses to sign when it has released in another attempt that is not proven dead', () => {
    const releasedIn = { attempt: 2, unmask: request, consistency: [], request };
    expect(codeWith(withOpen({ releasedIn }))).toBe('confirm/released');
  });
  it('refuses to sign without an input of its own', () => {
    expect(codeWith(withOpen({ contribution: { kind: 'computing' } }))).toBe('confirm/wrong-phase');
  });
});

describe('the coordinator that gathers confirmations', () => {
  const one = new MemoryConsortium(5, { manifest: { roundLimit: 1 } });
  one.hooks.arrive = ({ index }, { type }) => !(index === 4 && type === 'masked-header');
  const { silo: sender, envelope } = untilSent(one, 'consistency', 1);
  const tried = (change: Partial<Consistency>): string =>
    refusedByCoordinator(
      one,
      sender.id,
      bySilo(one.founded, sender.id, envelope, Consistency, () => change),
    );

  it('refuses fingerprints that are not reduced', () => {
    expect(tried({ tau0: FINGERPRINT_PRIME })).toBe('unmask/wrong-transcript');
    expect(tried({ tau1: (1n << 64n) - 1n })).toBe('unmask/wrong-transcript');
  });
  it('answers a confirmation of another T3 as late', () => {
    expect(tried({ t3: new Uint8Array(32) })).toBe('message/late');
  });
  it('refuses a confirmation from outside U3', () => {
    const outside = one.silos[4]!;
    const forged: Envelope = bySilo(
      one.founded,
      outside.id,
      { ...envelope, signer: `silo/${outside.id}` },
      Consistency,
      () => ({
        index: 4,
      }),
    );
    expect(refusedByCoordinator(one, outside.id, forged)).toBe('unmask/not-survivor');
  });
  it('answers the same confirmation again, and refuses another one in its place', () => {
    one.receive(sender.id, { envelope, ciphertexts: [] });
    expect(refusedByCoordinator(one, sender.id, envelope)).toBe('accepted');
    expect(tried({ tau0: 1n })).toBe('message/conflict');
  });
  it('answers one that comes after enough were counted as late', () => {
    const late = new MemoryConsortium(5, { manifest: { roundLimit: 1 } });
    let held: Envelope | undefined;
    late.hooks.arrive = ({ index }, sent) => {
      if (index !== 4 || sent.type !== 'consistency') return true;
      held = sent;
      return false;
    };
    until(late, 'unmask', 0);
    expect(refusedByCoordinator(late, late.silos[4]!.id, held)).toBe('message/late');
  });
});

// P6: which results a silo refuses to verify, and what it disputes (docs/protocol.md §2.3).

import { describe, expect, it } from 'vitest';
import { hex } from '../../../src/base/index.js';
import {
  Ack,
  Consistency,
  Coverage,
  decode,
  encode,
  RoundPlan,
  RoundResult,
  RoundTranscript,
} from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { byCoordinator, bySilo, distinctSent } from '../../support/memory/readings.js';
import { refusedByCoordinator, refusedBySilo, until, type BodyOf } from '../../support/memory/refusals.js';
import { blobOf } from '../../support/memory/vectors.js';

type Result = BodyOf<'result'>;

// n = 7, t = 5: silo 6 sent no input, silo 5's fingerprints never came.
const consortium = new MemoryConsortium(7, { manifest: { roundLimit: 2 } });
const { founded, silos } = consortium;
consortium.hooks.arrive = ({ index }, { type }) =>
  !(index === 6 && type === 'masked-header') && !(index === 5 && type === 'consistency');
const { silo, value } = until(consortium, 'result', 1);
const transcript = decode(RoundTranscript, 'transcript', consortium.blobs.get(hex(value.transcript!.sha256))!, 1 << 20);

const shown = (change: Partial<Result>): string =>
  refusedBySilo(silo, { $case: 'result', value: { ...value, ...change } });
const result = (change: (message: RoundResult) => Partial<RoundResult>): string =>
  shown({ result: byCoordinator(founded, value.result!, RoundResult, change) });
function withTranscript(change: Partial<RoundTranscript>): string {
  const bytes = encode(RoundTranscript, { ...transcript, ...change });
  const ref = blobOf(bytes);
  consortium.blobs.set(hex(ref.sha256), bytes);
  return shown({ transcript: ref });
}

describe('a silo that is shown a result', () => {
  it('refuses one of another round, attempt, T3 or sum than its transcript', () => {
    expect(result(() => ({ rid: new Uint8Array(32) }))).toBe('result/wrong-transcript');
    expect(result(() => ({ attempt: 2 }))).toBe('result/wrong-transcript');
    expect(result(() => ({ t3: new Uint8Array(32) }))).toBe('result/wrong-transcript');
    expect(result(() => ({ sumHash: new Uint8Array(32) }))).toBe('result/wrong-transcript');
  });
  it('refuses one that opens a secret too few, too many or out of order', () => {
    expect(result(({ selfSecrets }) => ({ selfSecrets: selfSecrets.slice(1) }))).toBe('result/openings');
    expect(result(({ selfSecrets }) => ({ selfSecrets: [...selfSecrets].reverse() }))).toBe('result/openings');
    expect(result(() => ({ maskSecrets: [] }))).toBe('result/openings');
    // Both secrets of one member would open its input.
    expect(result(({ maskSecrets, selfSecrets }) => ({ maskSecrets: [selfSecrets[0]!, ...maskSecrets] }))).toBe(
      'result/openings',
    );
  });
  it('refuses one whose opened secrets do not match their commitments', () => {
    const other = { index: 0, secret: new Uint8Array(32) };
    expect(result(({ selfSecrets }) => ({ selfSecrets: [other, ...selfSecrets.slice(1)] }))).toBe('result/commitment');
    expect(result(() => ({ maskSecrets: [{ index: 6, secret: new Uint8Array(32) }] }))).toBe('result/commitment');
    expect(result(() => ({ maskSecrets: [{ index: 6, secret: new Uint8Array(5) }] }))).toBe('result/commitment');
    expect(
      result(({ selfSecrets }) => ({
        selfSecrets: [{ index: 0, secret: new Uint8Array(33) }, ...selfSecrets.slice(1)],
      })),
    ).toBe('result/commitment');
  });
  it('refuses one whose hashes have not 32 bytes', () => {
    expect(result(() => ({ openedHash: new Uint8Array(31) }))).toBe('result/openings');
    expect(result(() => ({ newModelHash: new Uint8Array(31) }))).toBe('result/openings');
  });
  it('refuses one whose confirmations and missing ones do not cover the survivors, each once', () => {
    expect(result(() => ({ missing: [] }))).toBe('result/consistency');
    expect(result(() => ({ missing: [5, 5] }))).toBe('result/consistency');
    expect(result(() => ({ missing: [4, 5] }))).toBe('result/consistency');
    expect(result(() => ({ missing: [5, 6] }))).toBe('result/consistency');
  });
  it('refuses one that fewer survivors than the threshold confirmed', () => {
    const missing = [4, 5];
    expect(result(({ consistency }) => ({ consistency: consistency.slice(0, 4), missing }))).toBe('result/consistency');
  });
  it('refuses one with a confirmation of another T3, or twice the same one', () => {
    const changed = ({ consistency }: RoundResult): Partial<RoundResult> => ({
      consistency: consistency.map((one, k) =>
        k === 0 ? bySilo(founded, silos[0]!.id, one, Consistency, () => ({ t3: new Uint8Array(32) })) : one,
      ),
    });
    expect(result(changed)).toBe('unmask/wrong-transcript');
    expect(result(({ consistency }) => ({ consistency: [consistency[0]!, ...consistency] }))).toBe('unmask/too-few');
  });
  it('refuses a transcript with an advertisement, a header or the request left out', () => {
    expect(withTranscript({ advertised: transcript.advertised.slice(1) })).toBe('share/entries');
    expect(withTranscript({ shareHeaders: transcript.shareHeaders.slice(1) })).toBe('mask/wrong-transcript');
    expect(withTranscript({ request: undefined })).toBe('envelope/wrong-type');
    expect(withTranscript({ attempt: undefined })).toBe('envelope/wrong-type');
    expect(withTranscript({ plan: undefined })).toBe('envelope/wrong-type');
  });
  it('refuses a transcript that rests on another plan than the accepted one', () => {
    const plan = byCoordinator(founded, transcript.plan!, RoundPlan, () => ({ modelHash: new Uint8Array(32) }));
    expect(withTranscript({ plan })).toBe('plan/second-plan');
  });
  it('refuses a result of a later round before it has verified the ones before', () => {
    const later = new MemoryConsortium(5, { manifest: { roundLimit: 2 } });
    until(later, 'start', 3).silo.crash();
    later.run();
    later.silos[3]!.restart();
    const held: Result[] = [];
    later.hooks.deliver = (one, { body }) => {
      if (one.index === 3 && body?.$case === 'result') held.push(body.value);
      return one.index !== 3 || body?.$case !== 'result';
    };
    later.settle();
    const behind = later.silos[3]!;
    expect(held).toHaveLength(2);
    expect(refusedBySilo(behind, { $case: 'result', value: held[1]! })).toBe('result/order');
    behind.handle({ sequence: 1n, body: { $case: 'result', value: held[0]! } });
    behind.handle({ sequence: 2n, body: { $case: 'result', value: held[1]! } });
    expect(later.job.closed.map(({ acks }) => acks.size)).toEqual([5, 5]);
  });
  it('verifies the result as it came, with the input of the missing member', () => {
    silo.handle({ sequence: 1n, body: { $case: 'result', value } });
    expect(distinctSent(silo, 'ack')).toHaveLength(1);
    expect(silo.notices).toEqual([]);
  });
  it('answers the same result again with the same Ack', () => {
    expect(shown({})).toBe('accepted');
    expect(distinctSent(silo, 'ack')).toHaveLength(1);
  });
});

describe('vectors that do not fit a result', () => {
  const disputes = (spoil: (one: MemoryConsortium, name: (kind: 'sum' | 'opened') => string) => void): string[] => {
    const one = new MemoryConsortium(5, { manifest: { roundLimit: 1 } });
    one.hooks.arrive = ({ index }, { type }) => !(index === 4 && type === 'consistency');
    one.run(1);
    spoil(one, (kind) => [...one.blobs.keys()].find((name) => name.startsWith(kind))!);
    one.run();
    expect(one.job.closed[0]!.acks.size).toBe(0);
    return [...new Set(one.silos.flatMap(({ notices }) => notices.map(({ code }) => code)))];
  };
  const bent = (bytes: Uint8Array): Uint8Array => bytes.map((byte, k) => (k === 0 ? byte ^ 1 : byte));

  it('are disputed: a sum that is too short, too long, or another one', () => {
    expect(disputes((one, name) => one.blobs.set(name('sum'), one.blobs.get(name('sum'))!.slice(1)))).toEqual([
      'result/sum',
    ]);
    const longer = (bytes: Uint8Array): Uint8Array => Uint8Array.of(...bytes, 0);
    expect(disputes((one, name) => one.blobs.set(name('sum'), longer(one.blobs.get(name('sum'))!)))).toEqual([
      'result/sum',
    ]);
  });
  it('are disputed: an opened sum that is not what the openings give', () => {
    expect(disputes((one, name) => one.blobs.set(name('opened'), bent(one.blobs.get(name('opened'))!)))).toEqual([
      'result/opened',
    ]);
  });
  it('are disputed: the input of a missing member that is too short or too long', () => {
    for (const change of [(b: Uint8Array) => b.slice(1), (b: Uint8Array) => Uint8Array.of(...b, 0)])
      expect(
        disputes((one) => {
          const name = [...one.uploads.keys()].find((key) => key.endsWith('silo-004'))!;
          one.uploads.set(name, change(one.uploads.get(name)!));
        }),
      ).toEqual(['result/missing-input']);
  });
});

describe('the coordinator that gathers verdicts', () => {
  const one = new MemoryConsortium(4, { manifest: { roundLimit: 1 } });
  one.run();
  const [sender] = one.silos;
  const [ack] = distinctSent(sender!, 'ack');

  it('answers an Ack of a result that it does not know as late', () => {
    const other = bySilo(one.founded, sender!.id, ack!, Ack, () => ({ resultHash: new Uint8Array(32) }));
    expect(refusedByCoordinator(one, sender!.id, other)).toBe('message/late');
  });
  it('answers the same Ack again, and refuses another one in its place', () => {
    expect(refusedByCoordinator(one, sender!.id, ack)).toBe('accepted');
    const other = bySilo(one.founded, sender!.id, ack!, Ack, () => ({ coverage: Coverage.COVERAGE_SAMPLED }));
    expect(refusedByCoordinator(one, sender!.id, other)).toBe('message/conflict');
  });
  it('refuses an Ack of a silo that is not in the job', () => {
    const small = new MemoryConsortium(5, {
      manifest: { roundLimit: 1, silos: ['silo-000', 'silo-001', 'silo-002', 'silo-003'] },
    });
    small.run();
    const [sample] = distinctSent(small.silos[0]!, 'ack');
    const stranger = small.silos[4]!;
    const forged = bySilo(small.founded, stranger.id, { ...sample!, signer: `silo/${stranger.id}` }, Ack, () => ({}));
    expect(refusedByCoordinator(small, stranger.id, forged)).toBe('message/unexpected');
  });
});

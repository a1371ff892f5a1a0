// What each silo is told, and in which order: nothing twice under one number, nothing under a number it has passed.

import { describe, expect, it } from 'vitest';
import { sha256 } from '../../../src/crypto/index.js';
import { directivesFor, mayFetch } from '../../../src/protocol/index.js';
import type { Directive } from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { jobOf } from '../../support/memory/readings.js';
import type { MemorySilo } from '../../support/memory/silo.js';

const toldTo = (consortium: MemoryConsortium, silo: MemorySilo): Directive[] =>
  directivesFor(consortium.coordinator, silo.id, () => []);

describe('a silo that approves after rounds were closed', () => {
  function lateApproval(): { consortium: MemoryConsortium; late: MemorySilo } {
    const consortium = new MemoryConsortium(5, { manifest: { roundLimit: 2 } });
    const late = consortium.silos[4]!;
    consortium.hooks.arrive = (silo, envelope) => silo !== late || envelope.type !== 'approval';
    consortium.run(1);
    return { consortium, late };
  }

  it('is told of them under numbers that nobody had been given before', () => {
    const { consortium, late } = lateApproval();
    expect(toldTo(consortium, late).map(({ body }) => body?.$case)).toEqual(['jobOffer']);
    const before = consortium.silos.flatMap((silo) => toldTo(consortium, silo).map(({ sequence }) => sequence));
    const highest = before.reduce((a, b) => (a > b ? a : b));
    consortium.receive(late.id, { envelope: jobOf(late).approval, ciphertexts: [] });
    const told = toldTo(consortium, late).filter(({ body }) => body?.$case === 'result');
    expect(told).toHaveLength(1);
    for (const { sequence } of told) expect(sequence).toBeGreaterThan(highest);
  });

  it('verifies every one of them in order and joins the next', () => {
    const { consortium, late } = lateApproval();
    consortium.receive(late.id, { envelope: jobOf(late).approval, ciphertexts: [] });
    consortium.run();
    expect(consortium.job.closed.map((round) => round.plan.n)).toEqual([4, 5]);
    expect(consortium.job.closed.map((round) => round.acks.size)).toEqual([5, 5]);
    expect(late.rejections).toEqual([]);
  });
});

describe('what a silo is told after the directive it names', () => {
  it('is what comes later of everything it would be told', () => {
    const consortium = new MemoryConsortium(4, { manifest: { roundLimit: 2 } });
    const told = new Set<string>();
    consortium.hooks.deliver = ({ id }) => {
      const all = directivesFor(consortium.coordinator, id, () => []);
      for (const [k, { sequence, body }] of all.entries()) {
        told.add(body!.$case);
        expect(directivesFor(consortium.coordinator, id, () => [], sequence)).toEqual(all.slice(k + 1));
      }
      return true;
    };
    consortium.run();
    expect([...told]).toEqual(
      expect.arrayContaining(['jobOffer', 'start', 'keys', 'shares', 'confirm', 'unmask', 'result']),
    );
  });
});

describe('the objects of a job', () => {
  it('may be fetched by its silos under the hashes that directives name, and nothing else may', () => {
    const consortium = new MemoryConsortium(4, { manifest: { roundLimit: 1 } });
    consortium.run();
    const { result } = consortium.job.closed[0]!;
    const [silo] = consortium.silos;
    const may = (name: Uint8Array): boolean => mayFetch(consortium.coordinator, silo!.id, name, () => []);
    for (const ref of [result!.transcript, result!.sum, result!.opened]) expect(may(ref.sha256)).toBe(true);
    expect(may(new Uint8Array(32))).toBe(false);
    for (const upload of consortium.uploads.values()) expect(may(sha256(upload))).toBe(false);
  });

  it('may not be fetched by a silo of the consortium that is not in the job', () => {
    const consortium = new MemoryConsortium(5, {
      manifest: { roundLimit: 1, silos: ['silo-000', 'silo-001', 'silo-002', 'silo-003'] },
    });
    consortium.run();
    const { result } = consortium.job.closed[0]!;
    const may = (index: number): boolean =>
      mayFetch(consortium.coordinator, consortium.silos[index]!.id, result!.sum.sha256, () => []);
    expect(may(3)).toBe(true);
    expect(may(4)).toBe(false);
    expect(toldTo(consortium, consortium.silos[4]!)).toEqual([]);
  });
});

// Under a transparency log nothing stands still while enough silos are up: cosignatures that are lost, quorums that are not there, silos
// that say Hello all the time or want a larger quorum than the manifest does.

import { describe, expect, it } from 'vitest';
import { isAwake, newestWitnessed } from '../../../src/protocol/index.js';
import { CompactRange, formatNote, leafHash, logName, signCheckpoint } from '../../../src/transcript/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { jobOf } from '../../support/memory/readings.js';
import { refusedBySilo, until, type BodyOf } from '../../support/memory/refusals.js';

const logged = (n: number, roundLimit = 1): MemoryConsortium =>
  new MemoryConsortium(n, { manifest: { roundLimit }, log: true });

const kinds = (silo: MemoryConsortium['silos'][number], type: string): number =>
  silo.sent.filter((envelope) => envelope.type === type).length;

describe('a Hello that arrives twice', () => {
  it('is one entry, and its silo does not wait for a quorum again', () => {
    const consortium = logged(4);
    const { silo } = until(consortium, 'unmask');
    const hello = silo.sent.find(({ type }) => type === 'hello')!;
    const { length } = consortium.log;
    expect(isAwake(silo.state, jobOf(silo))).toBe(true);
    consortium.receive(silo.id, { envelope: hello, ciphertexts: [] });
    expect(consortium.log).toHaveLength(length);
    consortium.settle();
    expect(isAwake(silo.state, jobOf(silo))).toBe(true);
  });
});

describe('a silo that says Hello all the time and cosigns nothing', () => {
  it('does not keep the others from their next round', () => {
    const consortium = logged(5, 3);
    const bad = consortium.silos[4]!;
    bad.tamper = (envelope, ciphertexts) => (envelope.type === 'cosign' ? null : { envelope, ciphertexts });
    const { absentAfterMs } = consortium.job.manifest.message.timeouts!;
    let said = consortium.time;
    consortium.hooks.deliver = () => {
      if (consortium.time - said >= absentAfterMs / 2) {
        said = consortium.time;
        bad.hello();
      }
      return true;
    };
    consortium.run();
    expect(consortium.job.status).toBe('completed');
    expect(consortium.job.closed).toHaveLength(3);
  });

  it('is not waited for by a round that could begin', () => {
    const consortium = logged(5, 2);
    consortium.run(1);
    const bad = consortium.silos[4]!;
    for (let k = 0; k < 8; k++) bad.hello();
    bad.tamper = (envelope, ciphertexts) => (envelope.type === 'cosign' ? null : { envelope, ciphertexts });
    const begun = consortium.time;
    let opened = Infinity;
    consortium.hooks.deliver = () => {
      if (consortium.job.open !== undefined) opened = Math.min(opened, consortium.time);
      return true;
    };
    consortium.run();
    expect(opened - begun).toBeLessThan(consortium.job.manifest.message.timeouts!.absentAfterMs);
    expect(consortium.job.status).toBe('completed');
  });
});

describe('a job whose quorum is not there', () => {
  it('begins no round, and goes on when cosignatures come', () => {
    const consortium = logged(4, 2);
    let held = true;
    const kept: (() => void)[] = [];
    consortium.hooks.arrive = (silo, envelope) => {
      if (!held || envelope.type !== 'cosign' || silo.index < 2) return true;
      kept.push(() => {
        consortium.receive(silo.id, { envelope, ciphertexts: [] });
      });
      return false;
    };
    for (let k = 0; k < 50; k++) {
      consortium.settle();
      consortium.time += 1_000;
    }
    expect(newestWitnessed(consortium.coordinator.log!, consortium.job)).toBeUndefined();
    expect(consortium.job.closed).toEqual([]);
    expect(consortium.job.open).toBeUndefined();
    held = false;
    for (const arrive of kept) arrive();
    consortium.run();
    expect(consortium.job.closed.map(({ result }) => result !== undefined)).toEqual([true, true]);
  });
});

describe('a silo that assumes more malicious members than the manifest', () => {
  it('restarted in a round, is shown when all have cosigned, and releases', () => {
    const policy = { minCohort: 3, minHonest: 2, maxMalicious: 1, roundsPerDay: 100 };
    const consortium = new MemoryConsortium(5, { manifest: { roundLimit: 1, maxMalicious: 0 }, policy, log: true });
    const { silo } = until(consortium, 'confirm');
    silo.crash();
    silo.restart();
    consortium.run();
    expect(isAwake(silo.state, jobOf(silo))).toBe(true);
    expect(kinds(silo, 'consistency')).toBe(1);
    expect(consortium.job.closed[0]?.survivors).toContain(silo.id);
  });
});

describe('a silo that has started anew', () => {
  it('uploads nothing and answers no complaint before a quorum has cosigned its Hello, and does then', () => {
    const consortium = logged(4);
    const { silo, value } = until(consortium, 'sharesClosed');
    silo.crash();
    silo.restart();
    expect(isAwake(silo.state, jobOf(silo))).toBe(false);
    expect(refusedBySilo(silo, { $case: 'sharesClosed', value })).toBe('log/hello-pending');
    silo.cursor = 0n;
    expect(kinds(silo, 'masked-header')).toBe(0);
    consortium.run();
    expect(kinds(silo, 'masked-header')).toBe(1);
    expect(consortium.job.closed[0]?.survivors).toHaveLength(4);
  });

  it('whose input was computed meanwhile uploads it when it is awake', () => {
    const consortium = logged(4);
    const silo = consortium.silos[1]!;
    const { input } = silo;
    // Killed while it computes, after it has been told of T2.
    let computing = true;
    silo.input = (round, length) => {
      if (!computing) return input(round, length);
      computing = false;
      silo.crash();
      silo.restart();
      return input(round, length);
    };
    consortium.run();
    expect(consortium.job.closed[0]?.result).toBeDefined();
    expect(consortium.job.closed[0]?.acks.size).toBe(4);
  });
});

describe('a silo that has read past the checkpoint that a round rests on', () => {
  /** Three silos, all of which a round needs; the third is shown no checkpoint until the round has begun, and a newer one first. */
  function passed() {
    const consortium = new MemoryConsortium(3, { manifest: { roundLimit: 1, maxMalicious: 0 }, log: true });
    const silo = consortium.silos[2]!;
    let value: BodyOf<'start'> | undefined;
    consortium.hooks.deliver = ({ index }, { body }) => {
      if (index === 2 && body?.$case === 'start') ({ value } = body);
      return index !== 2 || (body?.$case !== 'checkpoint' && body?.$case !== 'start');
    };
    for (let k = 0; k < 100 && value === undefined; k++) {
      consortium.settle();
      consortium.time += 500;
    }
    consortium.hooks = {};
    if (value === undefined) throw new Error('no round was begun without the third');
    const { roster, logKey } = consortium.founded;
    const { log } = consortium;
    const range = log.reduce((grown, entry) => grown.append(leafHash(entry)).range, CompactRange.EMPTY);
    const head = { origin: logName(roster.consortiumId), size: range.size, root: range.root() };
    const note = formatNote(signCheckpoint(head, logKey!));
    silo.handle({ sequence: 1n, body: { $case: 'checkpoint', value: { note } } });
    silo.cursor = 0n;
    expect(silo.state.witness.size).toBe(log.length);
    expect(silo.rejections).toEqual([]);
    return { consortium, silo, value };
  }

  it('is shown that the log begins with it, and takes part', () => {
    const { consortium, silo } = passed();
    consortium.run();
    expect(silo.rejections.map(({ code }) => code)).not.toContain('log/shrunk');
    expect(consortium.job.closed.map(({ attempt, survivors }) => [attempt, survivors.length])).toEqual([[1, 3]]);
    silo.crash();
    silo.restart();
    consortium.run();
    expect(consortium.job.status).toBe('completed');
  });

  it('refuses it without a proof, with that of another size, and with one that was changed', () => {
    const { consortium, silo, value } = passed();
    const proveLog = silo.world.proveLog.bind(silo.world);
    const proof = proveLog(4, silo.state.witness.size);
    for (const shown of [[], proof, [...proof, proof[0]!]]) {
      silo.world.proveLog = () => shown;
      expect(refusedBySilo(silo, { $case: 'start', value })).toBe('log/shrunk');
      expect(refusedBySilo(silo, { $case: 'checkpoint', value: { note: value.checkpoint } })).toBe('log/shrunk');
    }
    silo.world.proveLog = proveLog;
    silo.cursor = 0n;
    consortium.run();
    expect(consortium.job.closed).toHaveLength(1);
  });
});

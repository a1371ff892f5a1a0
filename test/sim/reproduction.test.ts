// Scripts that broke a promise once, shrunk to what it takes, and those that show where a promise ends. Each stays.

import { describe, expect, it } from 'vitest';
import type { Operation, Script } from './script.js';
import { Simulation } from './simulation.js';

describe('a round that was signed and abandoned', () => {
  it('does not hold up the next ones: everybody signs that it will never be opened', () => {
    // Silo 4 has no input in round 1. Three survivors sign, the other signatures are lost in every attempt, and the round is abandoned.
    const script: Script = {
      seed: 1,
      silos: 5,
      jobs: 1,
      rounds: 3,
      malicious: 1,
      operations: [{ kind: 'no-input', silo: 4, round: 1 }],
    };
    const loses = (silo: number, type: string, ms: number): boolean =>
      silo < 2 && type === 'consistency' && ms < 60_000;
    const simulation = new Simulation(script, { loses });
    simulation.run();
    const [job] = simulation.coordinator.state.jobs.values();
    expect(job!.closed.map(({ result }) => result !== undefined)).toEqual([false, true, true]);
    expect(simulation.codes()).not.toContain('confirm/input-rule');
  });
});

describe('a round in which too few honest silos have an input', () => {
  it('is abandoned, and breaks no promise', () => {
    const script: Script = {
      seed: 2000090,
      silos: 4,
      jobs: 1,
      rounds: 2,
      malicious: 1,
      operations: [
        { kind: 'kill', who: 2, at: 2_287, forMs: 26_341 },
        { kind: 'no-input', silo: 3, round: 2 },
        { kind: 'kill', who: 3, at: 4_907, forMs: 4_348 },
        { kind: 'misdeed', silo: 1, misdeed: 'wrong-root', type: 'ack' },
      ],
    };
    const simulation = new Simulation(script);
    expect(simulation.run().abandoned).toBe(1);
  });

  it('is abandoned in each of two jobs, when it begins after the last fault', () => {
    const script: Script = {
      seed: 2001012,
      silos: 4,
      jobs: 2,
      rounds: 2,
      malicious: 1,
      log: true,
      operations: [
        { kind: 'trap', who: 1, record: 19, edge: 'full', effects: 1, forMs: 147 },
        { kind: 'trap', who: 2, record: 47, edge: 'full', effects: 2, forMs: 12_914 },
        { kind: 'trap', who: 1, record: 10, edge: 'after', effects: 0, forMs: 9_729 },
        { kind: 'no-input', silo: 1, round: 2 },
        { kind: 'link', silo: 0, at: 4_491, forMs: 40_000, fault: 'partition' },
        { kind: 'kill', who: 3, at: 4_845, forMs: 18_938 },
        { kind: 'misdeed', silo: 0, misdeed: 'other-bytes', type: 'share-header' },
        { kind: 'kill', who: 3, at: 0, forMs: 1_010 },
      ],
    };
    expect(new Simulation(script).run().abandoned).toBeGreaterThan(0);
  });
});

describe('a dealer that burns a round', () => {
  it('burns one, also of those that begin after the last fault, and the job is completed', () => {
    const script: Script = {
      seed: 1,
      silos: 5,
      jobs: 1,
      rounds: 3,
      malicious: 1,
      operations: [
        { kind: 'kill', who: -1, at: 0, forMs: 95_000 },
        { kind: 'misdeed', silo: 2, misdeed: 'bad-secret', type: 'ack' },
      ],
    };
    const simulation = new Simulation(script);
    expect(simulation.run()).toMatchObject({ rounds: 3, abandoned: 1 });
    const [job] = simulation.coordinator.state.jobs.values();
    expect(job!.closed[0]!.startedAt).toBeGreaterThan(1_000_000 + 90_000);
  });

  it('burns one, too, with a silo that comes only afterwards: it is in the cohort again once the model has moved', () => {
    const script: Script = {
      seed: 3,
      silos: 5,
      jobs: 1,
      rounds: 3,
      malicious: 1,
      operations: [
        { kind: 'kill', who: -1, at: 0, forMs: 95_000 },
        { kind: 'misdeed', silo: 2, misdeed: 'bad-secret', type: 'ack' },
      ],
    };
    const simulation = new Simulation(script);
    expect(simulation.run()).toMatchObject({ rounds: 3, abandoned: 1 });
    const [job] = simulation.coordinator.state.jobs.values();
    expect(job!.closed.map(({ plan }) => plan.n)).toEqual([4, 4, 5]);
    expect(simulation.codes()).not.toContain('confirm/input-rule');
  });
});

describe('a disk that was set back under a log', () => {
  it('to before a round that the silo had acknowledged, in a job that is over, catches up with it', () => {
    const script: Script = {
      seed: 60,
      silos: 6,
      jobs: 1,
      rounds: 2,
      malicious: 1,
      log: true,
      operations: [{ kind: 'rollback', silo: 5, at: 7344, back: 11 }],
    };
    const simulation = new Simulation(script);
    simulation.run();
    const [job] = simulation.coordinator.state.jobs.values();
    expect(simulation.silos[5]!.state.jobs.get(job!.manifest.jobId)!.closedRound).toBe(2);
  });

  it('to before its job, while an acknowledgement of it was still on its way, is told of the round again', () => {
    const script: Script = {
      seed: 11204,
      silos: 5,
      jobs: 1,
      rounds: 1,
      malicious: 1,
      log: true,
      operations: [
        { kind: 'link', silo: 1, at: 119, forMs: 20_000, fault: 'delay' },
        { kind: 'trap', who: -1, record: 56, edge: 'after', effects: 1, forMs: 380 },
        { kind: 'kill', who: 0, at: 6_202, forMs: 14_692 },
        { kind: 'link', silo: 2, at: 6_034, forMs: 40_000, fault: 'delay' },
        { kind: 'link', silo: 3, at: 6_096, forMs: 40_000, fault: 'drop' },
        { kind: 'kill', who: 4, at: 6_218, forMs: 30_698 },
        { kind: 'rollback', silo: 1, at: 10_492, back: 11 },
      ],
    };
    const simulation = new Simulation(script);
    simulation.run();
    expect(simulation.silos[1]!.state.jobs.values().next().value!.closedRound).toBe(1);
  });

  for (const operations of [
    [
      { kind: 'link', silo: 3, at: 174, forMs: 1232, fault: 'lose-answer' },
      { kind: 'rollback', silo: 3, at: 7069, back: 12 },
    ],
    [
      { kind: 'kill', who: 3, at: 1551, forMs: 156 },
      { kind: 'rollback', silo: 3, at: 4389, back: 3 },
    ],
  ] satisfies Operation[][])
    it(`to before an advertisement that is in no U1, at ${operations[1]!.at} ms, advertises other keys and deals once`, () => {
      const about = { seed: 101060, silos: 4, jobs: 1, rounds: 2, malicious: 1, log: true };
      const simulation = new Simulation({ ...about, operations });
      expect(simulation.run().rounds).toBe(2);
    });
});

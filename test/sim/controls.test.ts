// The oracles are worth something only if they see what is wrong: bugs are planted, and each is caught.

import { describe, expect, it } from 'vitest';
import type { SiloEvent } from '../../src/protocol/index.js';
import { CompactRange, formatNote, leafHash, signCheckpoint } from '../../src/transcript/index.js';
import { keyFrom } from '../support/memory/founding.js';
import { Histories } from './histories.js';
import { COORDINATOR_PROCESS, type Operation, type Script } from './script.js';
import { Simulation } from './simulation.js';
import { View } from './view.js';
import { forgetsOpenings, forgetsRelease, sendsFirst } from './wrap.js';

function scriptOf(silos: number, operations: readonly Operation[], rounds = 1): Script {
  return { seed: 1, silos, jobs: 1, rounds, malicious: 1, operations };
}

const THREE = { shares: 3, least: 3 };

describe('the oracles', () => {
  it('see a silo that forgets what it had sent before it was durable', () => {
    const traps = Array.from(
      { length: 12 },
      (_, record): Operation => ({
        kind: 'trap',
        who: 0,
        record: record + 1,
        edge: 'lost',
        effects: 0,
        forMs: 10,
      }),
    );
    const failures = traps.flatMap((trap) => {
      const script = scriptOf(4, [trap]);
      new Simulation(script).run();
      try {
        new Simulation(script, { silo: sendsFirst }).run();
        return [];
      } catch (error) {
        return [String(error)];
      }
    });
    expect(failures.some((failure) => failure.includes('not durable (G1)'))).toBe(true);
  });

  it('see a second aggregate in what was sent', () => {
    const view = new View();
    const dealers = [0, 1, 2, 3];
    for (const attempt of ['1', '2']) {
      for (const silo of dealers)
        view.uploaded('r', THREE, { silo, attempt, input: 'q', t2: `t2 ${attempt}`, dealers });
      for (const dealer of dealers) {
        const gone = attempt === '2' && dealer === 3;
        for (const index of [0, 1, 2]) view.released('r', THREE, attempt, gone ? 'key' : 'self', dealer, index);
      }
      if (attempt === '1')
        expect(() => {
          view.check(new Set(), 0);
        }).not.toThrow();
    }
    expect(() => {
      view.check(new Set(), 0);
    }).toThrow('two aggregates');
  });

  it('see the input of one silo whose shares of both kinds were released', () => {
    const view = new View();
    const dealers = [0, 1, 2];
    for (const silo of dealers) view.uploaded('r', THREE, { silo, attempt: '1', input: 'q', t2: 't2', dealers });
    for (const index of dealers)
      for (const kind of ['self', 'key'] as const) view.released('r', THREE, '1', kind, 0, index);
    expect(() => {
      view.check(new Set(), 0);
    }).toThrow('more than a sum');
  });

  describe('over jobs that ask for the same inputs', () => {
    const seen = (...sums: readonly (readonly number[])[]): View => {
      const view = new View();
      sums.forEach((dealers, job) => {
        const counts = { shares: 1, least: dealers.length };
        for (const silo of dealers) {
          view.uploaded(`r${job}`, counts, { silo, attempt: '1', input: 'key', t2: `t2 ${job}`, dealers });
          view.released(`r${job}`, counts, '1', 'self', silo, silo);
        }
      });
      return view;
    };
    const check = (view: View, coalition: readonly number[] = []): (() => void) => {
      return () => {
        view.check(new Set(coalition), coalition.length);
      };
    };

    it('see one silo by which two sums differ, and one that only three sums tell', () => {
      expect(check(seen([0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5]))).not.toThrow();
      expect(check(seen([0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4]))).toThrow('q5 key stands apart');
      // All, all but {0, 1}, all but {0, 2}: each difference is of two, all of them together isolate.
      expect(check(seen([0, 1, 2, 3, 4, 5], [2, 3, 4, 5]))).not.toThrow();
      expect(check(seen([0, 1, 2, 3, 4, 5], [2, 3, 4, 5], [1, 3, 4, 5]))).toThrow(/q[012] key stands apart/);
    });

    it('see what is left of a class when those who collude take away their own', () => {
      const view = seen([0, 1, 2, 3, 4, 5], [2, 3, 4, 5]);
      expect(check(view)).not.toThrow();
      expect(check(view, [1])).toThrow('q0 key stands apart');
    });

    it('see a silo that forgets what it has opened', () => {
      const script: Script = {
        ...scriptOf(5, [{ kind: 'no-input', silo: 4, round: 1, job: 2 }]),
        jobs: 2,
        sameInputs: true,
      };
      const simulation = new Simulation(script);
      simulation.run();
      expect(simulation.codes()).toContain('confirm/input-rule');
      expect(() => new Simulation(script, { silo: forgetsOpenings }).run()).toThrow('over all jobs q4');
    });
  });

  it('see a graph that falls apart: on a ring of six without two, the rest are two sums', () => {
    const ring = (silo: number): number[] => [(silo + 5) % 6, (silo + 1) % 6];
    for (const gone of [
      [0, 3],
      [0, 1],
    ]) {
      const view = new View();
      const counts = { shares: 1, least: 4 };
      for (const silo of [0, 1, 2, 3, 4, 5]) {
        view.uploaded('r', counts, { silo, attempt: '1', input: 'q', t2: 't2', dealers: ring(silo) });
        view.released('r', counts, '1', gone.includes(silo) ? 'key' : 'self', silo, silo);
      }
      const check = (): void => {
        view.check(new Set(), 0);
      };
      if (gone[1] === 3) expect(check).toThrow('two aggregates');
      else expect(check).not.toThrow();
    }
  });

  it('see a silo that gives up an attempt in which it has released', () => {
    const loses = (_: number, type: string, ms: number): boolean => type === 'unmask' && ms < 40_000;
    expect(new Simulation(scriptOf(5, []), { loses }).run().rounds).toBe(1);
    const forgetful = new Simulation(scriptOf(5, []), { loses, silo: forgetsRelease });
    expect(() => forgetful.run()).toThrow('in which it has released (G3)');
  });

  it('see an acknowledgement of a wrong sum', () => {
    const script = scriptOf(5, [{ kind: 'lie', lie: 'sum', silos: [], at: 0, forMs: 90_000 }]);
    expect(new Simulation(script).run().acks).toBe(0);
    expect(() => new Simulation(script, { trusting: true }).run()).toThrow('acknowledges a wrong sum in round 1 (G6)');
  });

  it('see a silo that can not follow the log, because it was never shown what a round rests on', () => {
    const others = [0, 1].map((silo): Operation => ({ kind: 'lose', silo, type: 'cosign', at: 1_188, forMs: 8_000 }));
    const late: Operation = { kind: 'kill', who: 2, at: 0, forMs: 1_388 };
    const script: Script = { ...scriptOf(3, [late, ...others]), seed: 4, malicious: 0, log: true };
    const simulation = new Simulation(script);
    simulation.run();
    expect(simulation.network.counts.get('checkpoint passed unseen')).toBe(1);
    expect(() => new Simulation(script, { proofless: true }).run()).toThrow(
      'can not follow the log of an honest coordinator: log/shrunk (G5)',
    );
  });

  it('see a coordinator that has lost what it answered', () => {
    const script = scriptOf(5, [{ kind: 'rollback', silo: COORDINATOR_PROCESS, at: 2_500, back: 1 }]);
    expect(() => new Simulation(script).run()).toThrow('is lost (G4)');
  });

  describe('for the log (G7)', () => {
    const forked = (silos: readonly number[], forMs: number): Operation => ({
      kind: 'lie',
      lie: 'fork',
      silos,
      at: 0,
      forMs,
    });
    const both = (silo: number): Operation => ({ kind: 'misdeed', silo, misdeed: 'cosigns-both', type: 'cosign' });

    it('see two logs that honest silos take part on, when more than c silos cosign both', () => {
      const logged = (colluding: readonly number[]): Script => ({
        ...scriptOf(5, [forked([4], 90_000), ...colluding.map(both)], 3),
        log: true,
      });
      const one = new Simulation(logged([1]));
      one.run();
      expect(one.oracle.histories.bases).toBeGreaterThan(0);
      expect(() => new Simulation(logged([1, 2, 3])).run()).toThrow('take part on two logs (G7)');
    });

    it('see a silo that accepts a log which does not go on from the one it had accepted', () => {
      const read = (entries: readonly Uint8Array[]): SiloEvent => {
        const range = entries.reduce((sum, entry) => sum.append(leafHash(entry)).range, CompactRange.EMPTY);
        const head = { origin: 'test/log', size: range.size, root: range.root() };
        const note = formatNote(signCheckpoint(head, keyFrom('log')));
        const value = { note, from: 0n, range: range.encode(), terminals: [], helloAt: 0n, unknown: [], proof: [] };
        return { $case: 'checkpointRead', value };
      };
      const [one, two, three] = [[1], [2], [3]].map((bytes) => Uint8Array.from(bytes)) as [Uint8Array, ...Uint8Array[]];
      const histories = new Histories();
      const accept = (entries: readonly Uint8Array[]): void => {
        histories.served('silo', 0, entries);
        histories.accepted('silo', read(entries));
      };
      accept([one, two!]);
      accept([one, two!, three!]);
      expect(() => {
        accept([one, three!, two!, one]);
      }).toThrow('does not go on from the one it had accepted (G7)');
    });
  });
});

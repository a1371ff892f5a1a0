// The oracles are worth something only if they see what is wrong: bugs are planted, and each is caught.

import { describe, expect, it } from 'vitest';
import { COORDINATOR_PROCESS, type Operation, type Script } from './script.js';
import { Simulation } from './simulation.js';
import { View } from './view.js';
import { forgetsRelease, sendsFirst } from './wrap.js';

function scriptOf(silos: number, operations: readonly Operation[], rounds = 1): Script {
  return { seed: 1, silos, jobs: 1, rounds, malicious: 1, operations };
}

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
      for (const silo of dealers) view.uploaded('r', 3, { silo, attempt, t2: `t2 ${attempt}`, dealers });
      for (const dealer of dealers) {
        const gone = attempt === '2' && dealer === 3;
        for (const index of [0, 1, 2]) view.released('r', 3, attempt, gone ? 'key' : 'self', dealer, index);
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
    for (const silo of dealers) view.uploaded('r', 3, { silo, attempt: '1', t2: 't2', dealers });
    for (const index of dealers)
      for (const kind of ['self', 'key'] as const) view.released('r', 3, '1', kind, 0, index);
    expect(() => {
      view.check(new Set(), 0);
    }).toThrow('more than a sum');
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

  it('see a coordinator that has lost what it answered', () => {
    const script = scriptOf(5, [{ kind: 'rollback', silo: COORDINATOR_PROCESS, at: 2_500, back: 1 }]);
    expect(() => new Simulation(script).run()).toThrow('is lost (G4)');
  });
});

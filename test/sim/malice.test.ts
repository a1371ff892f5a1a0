// Each lie of a coordinator and each misdeed of a silo: it is refused under its code, no wrong sum is acknowledged, nothing more than sums
// can be computed; and whatever one silo does, the others go on (docs/protocol.md §6).

import { describe, expect, it } from 'vitest';
import type { Lie, Misdeed, Operation, Script } from './script.js';
import { Simulation } from './simulation.js';

const SEEDS = [1];

function scriptOf(seed: number, operation: Operation): Script {
  return { seed, silos: 5, jobs: 1, rounds: 2, malicious: 1, operations: [operation] };
}

/** Codes seen over a few seeds; every run is checked by the oracles. */
function codesOf(operation: Operation): Set<string> {
  const codes = new Set<string>();
  for (const seed of SEEDS) {
    const simulation = new Simulation(scriptOf(seed, operation));
    simulation.run();
    for (const code of simulation.codes()) codes.add(code);
  }
  return codes;
}

const LIED: readonly (readonly [Lie, string])[] = [
  ['sum', 'result/fingerprint'],
  ['survivors', 'confirm/second-set'],
  ['both-types', 'confirm/second-set'],
  ['dealers', 'message/conflict'],
  ['start', 'plan/reserved'],
  ['result', 'result/consistency'],
  ['flip', 'share/ciphertext-hash'],
];

const DONE: readonly (readonly [Misdeed, string])[] = [
  ['bad-shares', 'share/bad-ciphertext'],
  ['false-complaint', 'complaint/false'],
  ['lying-tau', 'confirm/lying-fingerprint'],
  ['wrong-root', 'mask/root-differs'],
  ['garbage-release', 'unmask/bad-share'],
  ['other-bytes', 'keys/own-entry'],
];

describe('a coordinator that lies', () => {
  for (const [lie, code] of LIED)
    it(`about "${lie}" meets ${code}`, () => {
      expect(codesOf({ kind: 'lie', lie, silos: [1, 2], at: 0, forMs: 90_000 })).toContain(code);
    });

  for (const [forMs, code] of [
    [5_000, 'log/fork'],
    [90_000, 'log/no-quorum'],
  ] as const)
    it(`and shows one silo another log for ${forMs / 1000} s meets ${code}`, () => {
      const fork: Operation = { kind: 'lie', lie: 'fork', silos: [4], at: 0, forMs };
      const simulation = new Simulation({ ...scriptOf(1, fork), rounds: 3, log: true });
      simulation.run();
      expect(simulation.codes()).toContain(code);
    });

  for (const lie of ['withhold', 'replay'] as const)
    it(`and does "${lie}" gains nothing by it`, () => {
      codesOf({ kind: 'lie', lie, silos: [0, 1, 2, 3, 4], at: 0, forMs: 90_000 });
    });
});

describe('a silo that is not honest', () => {
  for (const [misdeed, code] of DONE)
    it(`and does "${misdeed}" meets ${code}, and the job is completed without it`, () => {
      expect(codesOf({ kind: 'misdeed', silo: 2, misdeed, type: 'ack' })).toContain(code);
    });

  for (const type of [
    'advertise',
    'share-header',
    'shares-checked',
    'masked-header',
    'consistency',
    'unmask',
    'ack',
  ] as const)
    it(`and never sends ${type} does not keep the others from completing the job`, () => {
      codesOf({ kind: 'misdeed', silo: 3, misdeed: 'silent', type });
    });

  it('because its disk was rolled back does not keep the others from completing the job', () => {
    for (const back of [2, 6]) for (const at of [2_000, 3_500]) codesOf({ kind: 'rollback', silo: 1, at, back });
  });
});

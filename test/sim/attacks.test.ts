// The attacks of docs/protocol.md §6 as parts that are played: each ends in its code, in evidence that the offline verifier accepts where
// something was signed that convicts, and without a share released for it. docs/threat-model.md names them.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { play, type Attack } from './attack.js';
import { COORDINATOR_ATTACKS } from './attacks-of-coordinator.js';
import { ROLLBACK, SILO_ATTACKS } from './attacks-of-silos.js';

function expectRefused(attack: Attack): void {
  const { simulation, convictions } = play(attack);
  expect([...simulation.codes()]).toContain(attack.code);
  expect(convictions).toEqual(attack.convicts ?? []);
  for (const silo of attack.spared ?? []) expect(simulation.oracle.hasReleased(simulation.silos[silo]!.id)).toBe(false);
  const closed = [...simulation.coordinator.state.jobs.values()].flatMap((job) => job.closed);
  expect(closed.filter(({ result }) => result !== undefined)).toHaveLength(attack.rounds);
}

describe('a coordinator that', () => {
  for (const attack of COORDINATOR_ATTACKS)
    it(`${attack.attack} meets ${attack.code}`, () => {
      expectRefused(attack);
    });
});

describe('a silo that', () => {
  for (const attack of SILO_ATTACKS)
    it(`${attack.attack} meets ${attack.code}`, () => {
      expectRefused(attack);
    });
});

describe('a model that', () => {
  it(`${ROLLBACK.attack} is the one that the next round starts from`, () => {
    const { simulation } = play(ROLLBACK);
    const [job] = simulation.coordinator.state.jobs.values();
    expect(job!.closed.map(({ plan }) => plan.modelHash)).toEqual([1, 2].map(() => job!.manifest.initialModelHash));
    for (const silo of simulation.silos) expect([...silo.notices.keys()]).toContain(ROLLBACK.code);
  });
});

describe('docs/threat-model.md', () => {
  it('has a row for each of them, and none more', () => {
    const text = readFileSync('docs/threat-model.md', 'utf8');
    const section = text.slice(text.indexOf('## Attacks that are played'), text.indexOf('## What is not claimed'));
    const shown = section.split('\n').filter((line) => /^\| (coordinator|silo) /.test(line));
    const rowOf = (who: string, { attack, code, convicts = [] }: Attack): string => {
      const charges = convicts.map((one) => `\`${one.slice(one.indexOf(' ') + 1)}\``).join(', ');
      return `| ${who} | ${attack} | \`${code}\` | ${charges === '' ? '–' : charges} |`;
    };
    expect(shown).toEqual([
      ...COORDINATOR_ATTACKS.map((one) => rowOf('coordinator', one)),
      ...SILO_ATTACKS.map((one) => rowOf('silo', one)),
    ]);
  });
});

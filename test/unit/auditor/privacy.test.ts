// veilsum-audit privacy: what scripts read, what people read, and what is refused.

import { describe, expect, it } from 'vitest';
import { epsilonOfSum, epsilonOfUnits, noisyQuantiser } from '../../../src/job/index.js';
import { runCommand } from './desk.js';

const RUN = ['--sampling', '0.01', '--noise', '1.1', '--steps', '1000', '--delta', '1e-5'];

describe('privacy account', () => {
  it('prints both accountants as JSON and nothing else', async () => {
    const { code, out, err } = await runCommand(['privacy', 'account', ...RUN, '--json']);
    expect([code, err]).toEqual([0, '']);
    const parsed = JSON.parse(out) as { rdp: { epsilon: number; order: number }; pld: { epsilon: number } };
    expect(Object.keys(parsed)).toEqual(['rdp', 'pld']);
    expect([Object.keys(parsed.rdp), Object.keys(parsed.pld)]).toEqual([['epsilon', 'order'], ['epsilon']]);
    expect(parsed.rdp.epsilon).toBeCloseTo(1.7117, 3);
    expect(parsed.rdp.order).toBeGreaterThan(1);
    expect(parsed.pld.epsilon).toBeLessThan(parsed.rdp.epsilon);
    expect(parsed.pld.epsilon).toBeCloseTo(1.5154, 3);
  });

  it('prints a table for people, rounded up', async () => {
    const { code, out } = await runCommand(['privacy', 'account', ...RUN]);
    expect(code).toBe(0);
    expect(out).toContain('pld         1.516');
    expect(out).toContain('rdp         1.712');
    expect(out).toContain('e^1.516');
  });

  it.each([
    ['--sampling', '2', 'the sampling rate must be a probability from 0 to 1, not 2.'],
    ['--sampling', 'often', 'Give a number'],
    ['--noise', '0', 'the noise must be a finite number above 0'],
    ['--steps', '0.5', 'the number of steps must be a whole number'],
    ['--delta', '1', 'delta must be a probability above 0 and below 1'],
  ])('refuses %s %s and says what it must be', async (option, value, sentence) => {
    const args = RUN.with(RUN.indexOf(option) + 1, value);
    const { code, out, err } = await runCommand(['privacy', 'account', ...args]);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(sentence);
  });
});

interface Account {
  readonly pld: { readonly epsilon: number };
}

describe('privacy plan', () => {
  it('needs an epsilon and rounds, and takes a delta of at most a tenth of one over the records unless told', async () => {
    const { code, out } = await runCommand(['privacy', 'plan', '--eps', '8', '--rounds', '10']);
    expect(code).toBe(0);
    expect(out).toContain('Epsilon 8, delta 0.0001, over 10 rounds.');
    expect(out).toContain('as manifests and ledgers count it');
    expect(out).toContain('with 20 rounds');
  });

  const PLAN = ['privacy', 'plan', '--eps', '8', '--delta', '1e-4', '--rounds', '10', '--records', '400'];

  it('stays within the budget for both units, with noise from t − max(c, 1) silos', async () => {
    const { code, out } = await runCommand([...PLAN, '--silos', '10', '--malicious', '2', '--json']);
    expect(code).toBe(0);
    const plan = JSON.parse(out) as {
      record: { noise: number; sampling: number; steps: number; counted: number; account: Account };
      silo: { noise: number; siloNoise: number; contributors: number; counted: number; account: Account };
      otherRounds: { rounds: number; record: { noise: number }; silo: { noise: number } }[];
    };
    for (const unit of [plan.record, plan.silo]) {
      expect(unit.counted).toBeLessThanOrEqual(8);
      expect(unit.counted).toBeGreaterThan(7.98);
      expect(unit.account.pld.epsilon).toBeLessThan(unit.counted);
    }
    // What a manifest with this noise promises, by the code that makes and checks manifests.
    const { sampling, steps, noise } = plan.record;
    expect(epsilonOfUnits({ sampling, steps, noise }, 1e-4).epsilon).toBeCloseTo(plan.record.counted, 9);
    const manifest = { mechanism: 'skellam', dimensions: 1000, contributors: 5, rounds: 10 } as const;
    const room = { silos: 10, modulusBits: 32 };
    const quantiser = noisyQuantiser(
      { mechanism: 'skellam', noise: plan.silo.noise, delta: 1e-4 },
      { ...manifest, room },
    );
    expect(epsilonOfSum({ ...manifest, ...quantiser }, 1e-4).epsilon).toBeCloseTo(plan.silo.counted, 3);
    expect(plan.otherRounds.map(({ rounds }) => rounds)).toEqual([5, 20]);
    expect(plan.otherRounds[0]!.silo.noise).toBeLessThan(plan.silo.noise);
    expect(plan.otherRounds[1]!.record.noise).toBeGreaterThan(plan.record.noise);
    expect(plan.silo.contributors).toBe(7 - 2);
    expect(plan.silo.siloNoise * Math.sqrt(5)).toBeCloseTo(plan.silo.noise, 12);
  });

  it('says which of its numbers are estimates, and warns of a delta that promises nothing', async () => {
    const { out, err } = await runCommand(PLAN.with(PLAN.indexOf('1e-4'), '0.01'));
    expect(out.match(/estimate/g)?.length).toBeGreaterThanOrEqual(4);
    expect(err).toContain('allows publishing one of 400 records whole');
  });

  it.each([
    ['--silos', '2', '--silos must be 3 to 200, not 2.'],
    ['--malicious', '4', 'a sum may hold as few as 4 of 5 silos'],
    ['--batch', '500', 'the batch must be from 1 to the 400 records, not 500.'],
    ['--eps', '-1', 'epsilon must be a finite number above 0'],
  ])('refuses %s %s', async (option, value, sentence) => {
    const { code, err } = await runCommand([...PLAN, option, value]);
    expect(code).toBe(2);
    expect(err).toContain(sentence);
  });
});

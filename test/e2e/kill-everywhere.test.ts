// Programs die before and after durable writes and sends. Which places there are is learnt from a run without a fault; here a part of
// them is tried, by `npm run kill -- --all` each of them.

import { appendFileSync, readdirSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { Consortium } from '../support/e2e/consortium.js';
import { siloRecords } from '../support/e2e/journals.js';
import { killAt, type Report } from '../kill/battery.js';
import { wrongCharges, wrongDisks } from '../kill/checks.js';
import { tracePoints, type Traced } from '../kill/points.js';

/** Of each program's places, every so many-th is tried here. */
const EVERY = 11;
const ONLY_ONCE = /folder|lock|secret|founding/;

let traced: Traced;
let types: Set<string>;
let report: Report;
let damaged: string[];

function someOf(names: readonly string[]): string[] {
  return names.filter((name) => !ONLY_ONCE.test(name)).filter((_name, k) => k % EVERY === EVERY - 1);
}

beforeAll(async () => {
  const consortium = await Consortium.found({ silos: 3 });
  try {
    traced = await tracePoints(consortium, false);
    const [first] = consortium.silos;
    types = new Set(
      (await siloRecords(consortium.founded, first!)).flatMap(({ emitted }) => emitted.map((one) => one.type)),
    );
    const blobs = consortium.founded.at('state', 'coordinator', 'blobs');
    const [blob] = readdirSync(blobs);
    truncateSync(join(blobs, blob!), 1);
    appendFileSync(consortium.founded.at('state', first!, 'blobs', 'stray'), 'x');
    damaged = await wrongDisks(consortium);
  } finally {
    await consortium.close();
    rmSync(consortium.founded.folder, { recursive: true, force: true });
  }
  const { coordinator, agent } = traced;
  report = await killAt(
    { coordinator: someOf(coordinator.working), agent: someOf(agent.working) },
    () => undefined,
    false,
  );
}, 240_000);

describe('failpoints', () => {
  it('stand before and after every message that a silo sends and that the coordinator answers', () => {
    expect(types.size).toBeGreaterThan(5);
    const missing = [...types].flatMap((type) =>
      [
        ...['silo.before-send', 'silo.after-send'].filter((name) => !traced.agent.working.includes(`${name}.${type}`)),
        ...['coordinator.before-send.answer', 'coordinator.after-send.answer'].filter(
          (name) => !traced.coordinator.working.includes(`${name}.${type}`),
        ),
      ].map((name) => `${name}.${type}`),
    );
    expect(missing).toEqual([]);
  });

  it('come in pairs: what is passed before a write or a send is passed after it', () => {
    for (const { working, stopping } of [traced.agent, traced.coordinator]) {
      const all = new Set([...working, ...stopping]);
      const before = [...all].filter((name) => name.includes('.before-'));
      expect(before.length).toBeGreaterThan(25);
      // A rename lies between its write's two.
      const alone = before.filter((name) => !/rename|before-upload$/.test(name));
      expect(alone.filter((name) => !all.has(name.replace('.before-', '.after-')))).toEqual([]);
    }
  });
});

describe('the check of what was charged', () => {
  it('finds a round that was charged twice, one that was not, and a count that the log was not told, the last as well', () => {
    const whole = { ledger: { one: 1, two: 2 }, left: 3, told: [1, 2, 3] };
    expect(wrongCharges('a', whole)).toEqual([]);
    // Neither what left nor what was told is as many.
    expect(wrongCharges('a', { ...whole, ledger: { one: 2, two: 2 } })).toHaveLength(2);
    expect(wrongCharges('a', { ...whole, left: 4 })).toHaveLength(1);
    expect(wrongCharges('a', { ...whole, told: [1, 3] })).toHaveLength(1);
    expect(wrongCharges('a', { ...whole, told: [1, 2, 2] })).toHaveLength(1);
    expect(wrongCharges('a', { ...whole, told: [1, 2] })).toHaveLength(1);
    expect(wrongCharges('a', { ...whole, told: [] })).toHaveLength(1);
  });
});

describe('an agent and a coordinator that die at some of them', () => {
  it('die at each', () => {
    const { coordinator, agent } = traced;
    const places = [...someOf(coordinator.working), ...someOf(agent.working)];
    expect(places.length).toBeGreaterThan(8);
    expect(report.deaths.map((one) => one.split(' ')[1]).sort()).toEqual([...places].sort());
  });

  it('lose nothing that was acknowledged: rounds in one attempt, exact sums, equal bytes, whole state folders', () => {
    expect(report.wrong).toEqual([]);
  });

  it('are looked at by checks that find damage where there is some', () => {
    expect(damaged.some((one) => one.includes('its bytes have another hash'))).toBe(true);
    expect(damaged.some((one) => one.includes('fsck of coordinator ended with 5'))).toBe(true);
    expect(damaged.some((one) => one.includes('stray'))).toBe(true);
  });
});

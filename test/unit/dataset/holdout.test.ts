// Which records are held out.

import { describe, expect, it } from 'vitest';
import { splitHoldout, type Records } from '../../../src/dataset/index.js';
import { held } from '../../support/held.js';

const key = new Uint8Array(32).fill(7);

const records = (rows: number, start = 0): Records => ({
  rows,
  columns: 2,
  features: Float32Array.from({ length: 2 * rows }, (_, i) => start + i),
  targets: Float32Array.from({ length: rows }, (_, i) => i % 2),
});

const ages = ({ features }: Records): number[] => [...held(features)].filter((_, i) => i % 2 === 0);

describe('the hold-out part', () => {
  it('has about the asked fraction, and both parts together are all records in order', () => {
    const all = records(1_000);
    const { train, holdout } = splitHoldout(all, 0.2, key);
    // Six standard deviations of a binomial around 200.
    expect(Math.abs(holdout.rows - 200)).toBeLessThan(76);
    expect(train.rows + holdout.rows).toBe(1_000);
    expect([...ages(train), ...ages(holdout)].sort((a, b) => a - b)).toEqual(ages(all));
    expect(ages(holdout)).toEqual([...ages(holdout)].sort((a, b) => a - b));
    expect(holdout.targets).toHaveLength(holdout.rows);
  });

  it('keeps targets beside their features', () => {
    const { train, holdout } = splitHoldout(records(100), 0.3, key);
    for (const part of [train, holdout])
      ages(part).forEach((age, i) => {
        expect(part.targets[i]).toBe((age / 2) % 2);
      });
  });

  it('is the same each time, and for a record in any company', () => {
    const { holdout } = splitHoldout(records(100), 0.3, key);
    expect(splitHoldout(records(100), 0.3, key).holdout).toEqual(holdout);
    const longer = splitHoldout(records(200), 0.3, key).holdout;
    expect(ages(longer).filter((age) => age < 200)).toEqual(ages(holdout));
  });

  it('is another under another key', () => {
    const other = splitHoldout(records(100), 0.3, new Uint8Array(32).fill(8));
    expect(ages(other.holdout)).not.toEqual(ages(splitHoldout(records(100), 0.3, key).holdout));
  });

  it('never has a record whose equal is trained on', () => {
    const one = records(20);
    const doubled: Records = {
      rows: 40,
      columns: 2,
      features: Float32Array.of(...held(one.features), ...held(one.features)),
      targets: Float32Array.of(...one.targets, ...one.targets),
    };
    const { train, holdout } = splitHoldout(doubled, 0.5, key);
    expect(holdout.rows).toBeGreaterThan(0);
    expect(ages(train).filter((age) => ages(holdout).includes(age))).toEqual([]);
  });

  it('looks at the target as well as at the features', () => {
    const all = records(100);
    const flipped = { ...all, targets: all.targets.map((target) => 1 - target) };
    expect(ages(splitHoldout(flipped, 0.5, key).holdout)).not.toEqual(ages(splitHoldout(all, 0.5, key).holdout));
  });

  it('is empty for a fraction of 0 and works without targets', () => {
    const { train, holdout } = splitHoldout({ ...records(10), targets: new Float32Array() }, 0, key);
    expect([train.rows, holdout.rows, train.targets.length]).toEqual([10, 0, 0]);
  });

  it('refuses to leave nothing to train on', () => {
    expect(() => splitHoldout(records(0), 0.5, key)).toThrow(/no records to train on/);
  });

  it('refuses a fraction of 1 and a short key', () => {
    expect(() => splitHoldout(records(5), 1, key)).toThrow(RangeError);
    expect(() => splitHoldout(records(5), 0.1, key.subarray(1))).toThrow(RangeError);
  });
});

// Hold-outs that are too small to be measured on: told of, or refused.

import { expect, it } from 'vitest';
import { demandHoldout } from '../../../silo-agent/contribute.js';

function toldOf(minimumHoldout: number, rows: number): string[] {
  const told: string[] = [];
  demandHoldout({ minimumHoldout, differencing: 'warn' }, rows, ({ code, message }) =>
    told.push(`${code}: ${message}`),
  );
  return told;
}

it('a hold-out below policy.minimumHoldout is told of; one of that size, and none at all, are not', () => {
  const words = 'agent/small-holdout: 19 records are held out, policy.minimumHoldout asks for 20.';
  expect(toldOf(20, 19)).toEqual([words]);
  expect(toldOf(20, 20)).toEqual([]);
  expect(toldOf(20, 0)).toEqual([]);
  expect(toldOf(0, 1)).toEqual([]);
});

it('it is refused where the policy says so, and then nothing is measured on it', () => {
  const refusing = (rows: number) => (): void => {
    demandHoldout({ minimumHoldout: 20, differencing: 'refuse' }, rows, () => undefined);
  };
  expect(refusing(19)).toThrow(expect.objectContaining({ code: 'agent/small-holdout' }));
  expect(refusing(20)).not.toThrow();
});

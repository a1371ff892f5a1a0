// Numbers of rounds on the command line.

import { InvalidArgumentError } from 'commander';
import { LIMITS } from '../../src/base/index.js';

export function roundNumber(text: string): number {
  if (!/^[1-9][0-9]{0,6}$/.test(text) || Number(text) > LIMITS.roundsMax)
    throw new InvalidArgumentError(`Give a whole number from 1 to ${String(LIMITS.roundsMax)}.`);
  return Number(text);
}

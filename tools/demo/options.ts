// What the demo can be asked for.

import { Command, InvalidArgumentError } from 'commander';

export interface DemoOptions {
  readonly silos: number;
  readonly rounds: number;
  readonly seed: number;
  /** Folder with the four processed files of the UCI heart data; the breast cancer table of examples/ unless given. */
  readonly data?: string;
  /** Keeps everything the demo made here. */
  readonly keep?: string;
  /** Writes the outcome as JSON. */
  readonly json?: string;
}

export function readOptions(argv: readonly string[]): DemoOptions {
  const whole =
    (low: number, high: number) =>
    (text: string): number => {
      const value = Number(text);
      if (!/^\d+$/.test(text) || value < low || value > high)
        throw new InvalidArgumentError(`expected a whole number from ${String(low)} to ${String(high)}`);
      return value;
    };
  const program = new Command('npm run demo --')
    .description(
      'A whole consortium on this machine: hospitals train a model together, and the coordinator never sees an update.',
    )
    .option('--silos <n>', 'hospitals, 3 to 20', whole(3, 20), 5)
    .option('--rounds <n>', 'training rounds, 1 to 200', whole(1, 200), 10)
    .option('--seed <n>', 'decides how records are split', whole(0, 1_000_000), 1)
    .option('--data <dir>', 'train on the four UCI heart centres in this folder instead (processed.*.data)')
    .option('--keep <dir>', 'keep keys, configurations, logs and the model in this folder')
    .option('--json <file>', 'write the outcome as JSON');
  program.parse([...argv], { from: 'user' });
  return program.opts<DemoOptions>();
}

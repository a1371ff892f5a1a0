// The command: many inputs, a count of how they ended, and for a failure everything needed to see it again.
//   node dist/test/fuzz/main.js --inputs 1000000 --seed 1 [--target wire]

import { parseArgs } from 'node:util';
import { hex } from '../../src/base/index.js';
import { runTarget, type Failure } from './run.js';
import { TARGETS, type TargetEntry } from './targets/index.js';

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function wanted(name: string | undefined): readonly TargetEntry[] {
  if (name === undefined) return TARGETS;
  const found = TARGETS.filter((target) => target.name === name);
  if (found.length === 0)
    throw new Error(`no target "${name}"; there are ${TARGETS.map((one) => one.name).join(', ')}`);
  return found.map((target) => ({ ...target, share: 1 }));
}

function tell({ target, seed, index, error, original, minimised }: Failure): void {
  say(`FAILED ${target}: seed ${seed}, input ${index}`);
  say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  say(`input (${original.length} bytes): ${hex(original.subarray(0, 4096))}`);
  say(`minimised (${minimised.length} bytes): ${hex(minimised)}`);
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      inputs: { type: 'string', default: '100000' },
      seed: { type: 'string', default: '1' },
      target: { type: 'string' },
    },
  });
  const [inputs, seed] = [Number(values.inputs), Number(values.seed)];
  if (!Number.isSafeInteger(inputs) || inputs < 1 || !Number.isSafeInteger(seed) || seed < 0)
    throw new Error('--inputs and --seed are whole numbers');
  const targets = wanted(values.target);
  const shares = targets.reduce((sum, { share }) => sum + share, 0);
  let total = 0;
  for (const { name, share, create } of targets) {
    const count = Math.max(1, Math.ceil((inputs * share) / shares));
    const began = Date.now();
    const target = await create();
    const report = await runTarget(target, {
      seed,
      inputs: count,
      progress: (done) => {
        if (done % 20_000 === 0) say(`  ${name}: ${done} of ${count}`);
      },
    });
    await target.close?.();
    total += report.inputs;
    say(`${name}: ${report.inputs} inputs in ${Math.round((Date.now() - began) / 1000)} s`);
    for (const [code, times] of [...report.ends].sort((a, b) => b[1] - a[1]))
      say(`  ${String(times).padStart(9)} ${code}`);
    if (report.failure !== undefined) {
      tell(report.failure);
      return 1;
    }
  }
  say(`${total} inputs, ${targets.length} targets, seed ${seed}: nothing that must never happen did`);
  return 0;
}

process.exitCode = await main();

// npm test: every test but the long batteries, then one plain line that counts them. Tests with real processes mostly wait for programs, so
// all others run beside them, at a lower priority: a program that is waited for gets the machine at once, and no core is ever idle.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';

const LOWER = 10;
const given = process.argv.slice(2);
const runs =
  given.length > 0
    ? [{ args: given, priority: 0 }]
    : [
        { args: ['test/e2e/'], priority: 0 },
        { args: ['--exclude', 'test/e2e/**'], priority: LOWER },
      ];

const folder = mkdtempSync(join(tmpdir(), 'veilsum-test-'));

/** Resolves with what passed and failed. What the first run prints is seen as it comes, the others' when they end. */
async function run({ args, priority }, index) {
  const report = join(folder, `${String(index)}.json`);
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=json'];
  const child = spawn(process.execPath, [...vitest, `--outputFile=${report}`, ...args], {
    stdio: ['ignore', index === 0 ? 'inherit' : 'pipe', index === 0 ? 'inherit' : 'pipe'],
  });
  if (priority !== 0) setPriority(child.pid, priority);
  const printed = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (piece) => printed.push(piece));
  const status = await new Promise((resolve) => child.on('close', resolve));
  process.stdout.write(Buffer.concat(printed));
  let passed = 0;
  let broken = 0;
  if (existsSync(report)) {
    const result = JSON.parse(readFileSync(report, 'utf8'));
    passed = result.numPassedTests;
    broken = result.numFailedTests;
    // A file that does not even load, or whose preparation failed, counts as one failure.
    broken += result.testResults.filter(
      (file) => file.status === 'failed' && !file.assertionResults.some((one) => one.status === 'failed'),
    ).length;
  }
  // A run that failed outside any test (an unhandled error, no report) still failed.
  return { passed, failed: status !== 0 && broken === 0 ? 1 : broken };
}

const results = await Promise.all(runs.map(run));
rmSync(folder, { recursive: true });
const passed = results.reduce((sum, one) => sum + one.passed, 0);
const failed = results.reduce((sum, one) => sum + one.failed, 0);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);

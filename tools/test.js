// npm test: every test but the long batteries, then one plain line that counts them. Tests with real processes come last, two files at a
// time: they mostly wait for programs, and programs that share two cores with more than one other test let them wait for nothing.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const given = process.argv.slice(2);
const runs = given.length > 0 ? [given] : [['--exclude', 'test/e2e/**'], ['test/e2e/']];

const folder = mkdtempSync(join(tmpdir(), 'veilsum-test-'));
let passed = 0;
let failed = 0;

for (const [index, args] of runs.entries()) {
  const report = join(folder, `${String(index)}.json`);
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=json'];
  const done = spawnSync(process.execPath, [...vitest, `--outputFile=${report}`, ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  let broken = 0;
  if (existsSync(report)) {
    const result = JSON.parse(readFileSync(report, 'utf8'));
    passed += result.numPassedTests;
    broken = result.numFailedTests;
    // A file that does not even load, or whose preparation failed, counts as one failure.
    broken += result.testResults.filter(
      (file) => file.status === 'failed' && !file.assertionResults.some((one) => one.status === 'failed'),
    ).length;
  }
  // A run that failed outside any test (an unhandled error, no report) still failed.
  failed += done.status !== 0 && broken === 0 ? 1 : broken;
}

rmSync(folder, { recursive: true });
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);

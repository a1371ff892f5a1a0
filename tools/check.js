// npm run check: format, types, lint, import rules, generated code. Runs all of them and says which failed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const bin = (name) => join('node_modules', '.bin', name);
const GENERATED = [
  'src/wire/gen',
  'src/transport/gen',
  'src/model/gen',
  'src/vector/kernels/gen',
  'src/wire/index.ts',
  'docs/errors.md',
];

const steps = [
  ['format', () => run(bin('prettier'), ['--log-level', 'warn', '--check', '.'])],
  ['types', () => run(bin('tsc'), ['-p', 'tsconfig.json', '--noEmit', '--incremental', 'false'])],
  ['types of the pure rooms', () => run(bin('tsc'), ['-p', 'tsconfig.pure.json'])],
  ['lint', () => run(bin('eslint'), ['.', '--max-warnings', '0'])],
  [
    'import rules',
    () => run(bin('depcruise'), ['src', 'silo-agent', 'coordinator', 'auditor', 'certs', 'tools', 'test']),
  ],
  ['protocol schema', () => run(bin('buf'), ['lint', '--path', 'proto/veilsum'])],
  ['generated code', reproduces],
];

function run(command, args) {
  const done = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  return done.status === 0 ? undefined : `${done.stdout ?? ''}${done.stderr ?? ''}`;
}

/** Generates everything again and compares: what is committed must follow from its sources, byte for byte. */
function reproduces() {
  const before = digest();
  const failure = run(process.execPath, ['tools/gen.js']);
  if (failure !== undefined) return failure;
  return digest() === before
    ? undefined
    : 'npm run gen changes committed files: look at git diff, and commit what it wrote.\n';
}

function digest() {
  const hash = createHash('sha256');
  for (const path of GENERATED.flatMap(files)) hash.update(path).update(readFileSync(path));
  return hash.digest('hex');
}

function files(path) {
  if (/\.(ts|md)$/.test(path)) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

let failed = 0;
for (const [name, step] of steps) {
  const from = Date.now();
  const output = step();
  console.log(`${output === undefined ? 'ok    ' : 'FAILED'} ${name} (${((Date.now() - from) / 1000).toFixed(1)} s)`);
  if (output === undefined) continue;
  failed++;
  console.log(output);
}
if (failed > 0) console.error(`${failed} of ${steps.length} checks failed.`);
process.exit(failed === 0 ? 0 : 1);

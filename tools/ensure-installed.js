// Makes sure that what the next command needs is there: the Node version, the locked packages, the compiled programs. Each is done
// only when something changed, so running it again costs a moment. Needs nothing but Node and npm.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
process.chdir(root);

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(
    `Veilsum needs Node.js 20.19 or newer, this is ${process.versions.node}. Install a newer one and try again.`,
  );
  process.exit(2);
}

const LOCK_STAMP = 'node_modules/.veilsum-lock';
const BUILD_STAMP = 'dist/.veilsum-sources';
const SOURCES = ['src', 'silo-agent', 'coordinator', 'auditor', 'certs', 'tools', 'test'];

function run(what, command, args) {
  const done = spawnSync(command, args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
  if (done.status === 0) return;
  process.stderr.write(`${done.stdout ?? ''}${done.stderr ?? ''}`);
  console.error(`\n${what} failed (${command} ${args.join(' ')}). What it printed stands above.`);
  process.exit(1);
}

function seconds(from) {
  return ((Date.now() - from) / 1000).toFixed(1);
}

function install() {
  // What counts is the lock and the rules under which it is installed.
  const wanted = digest(['package-lock.json', '.npmrc']);
  if (existsSync(LOCK_STAMP) && readFileSync(LOCK_STAMP, 'utf8') === wanted) return;
  if (process.argv.includes('--installed')) {
    // The caller has just run npm ci itself.
    writeFileSync(LOCK_STAMP, wanted);
    return;
  }
  const from = Date.now();
  process.stderr.write('Installing packages (once, about 15 s) ... ');
  run('Installing packages', process.platform === 'win32' ? 'npm.cmd' : 'npm', ['ci', '--no-audit', '--no-fund']);
  writeFileSync(LOCK_STAMP, wanted);
  process.stderr.write(`done in ${seconds(from)} s\n`);
}

function build() {
  const wanted = digest(['tsconfig.json', 'package-lock.json', ...SOURCES.flatMap(filesIn)]);
  if (existsSync(BUILD_STAMP) && readFileSync(BUILD_STAMP, 'utf8') === wanted) return;
  const from = Date.now();
  process.stderr.write('Compiling (when sources changed, about 15 s) ... ');
  // A removed source must not leave its compiled file behind: a clean folder, unless only contents changed.
  if (existsSync('dist') && compiledWithoutSource()) rmSync('dist', { recursive: true });
  mkdirSync('dist', { recursive: true });
  run('Compiling', process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json']);
  writeFileSync(BUILD_STAMP, wanted);
  process.stderr.write(`done in ${seconds(from)} s\n`);
}

function compiledWithoutSource() {
  return SOURCES.some((folder) =>
    filesIn(join('dist', folder)).some(
      (file) => file.endsWith('.js') && !existsSync(file.slice('dist/'.length).replace(/\.js$/, '.ts')),
    ),
  );
}

function filesIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.(ts|js)$/.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

function digest(files) {
  const hash = createHash('sha256').update(process.versions.node.split('.')[0]);
  for (const file of files) hash.update(file).update('\0').update(readFileSync(file)).update('\0');
  return hash.digest('hex');
}

install();
build();

// npm run bundle: one archive with the compiled programs and every package they need, for Linux x64 machines that reach no registry,
// and a list of what is in it (SBOM, CycloneDX). Platforms that are not this one are left out: ONNX Runtime alone brings six.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const PROGRAMS = {
  'veilsum-coordinator': 'coordinator',
  'veilsum-agent': 'silo-agent',
  'veilsum-audit': 'auditor',
  'veilsum-ca': 'certs',
};
const KEPT = ['docs', 'deploy', 'LICENSE', 'NOTICE', 'README.md', 'CHANGELOG.md'];
/** Of packages: nothing that only other platforms, compilers or people who read sources need. */
const LEFT_OUT =
  /\.(map|d\.[cm]?ts|ts)$|\/(onnxruntime-node\/bin\/napi-v\d+\/(?!linux\/x64(\/|$)|linux$)[^/]+|onnxruntime-node\/bin\/napi-v\d+\/linux\/(?!x64(\/|$)))/;
const PLATFORM = { os: 'linux', cpu: 'x64', libc: 'glibc' };

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const option = (name) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
};
const onlyFolder = option('--folder');
const out = resolve(option('--out') ?? 'bundle');
const name = `veilsum-${version}-linux-x64`;
const folder = resolve(onlyFolder ?? join(out, name));

if (!existsSync('dist/silo-agent/main.js')) fail('The programs are not compiled: run npm run build.');
rmSync(folder, { recursive: true, force: true });
mkdirSync(join(folder, 'bin'), { recursive: true });
programs();
packages();
sbom();
if (onlyFolder === undefined) archive();

function programs() {
  for (const room of ['src', ...Object.values(PROGRAMS)])
    cpSync(join('dist', room), join(folder, 'dist', room), {
      recursive: true,
      filter: (path) => !path.endsWith('.map'),
    });
  const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
  for (const key of ['devDependencies', 'scripts', 'overrides']) delete manifest[key];
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  for (const path of KEPT) if (existsSync(path)) cpSync(path, join(folder, path), { recursive: true });
  for (const [program, room] of Object.entries(PROGRAMS)) {
    const file = join(folder, 'bin', program);
    // Also through a symbolic link from a folder of the search path.
    writeFileSync(
      file,
      `#!/bin/sh\nhere=$(dirname "$(readlink -f "$0")")\nexec node "$here/../dist/${room}/main.js" "$@"\n`,
    );
    chmodSync(file, 0o755);
  }
}

function packages() {
  const { packages: locked } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  for (const [path, one] of Object.entries(locked)) {
    if (path === '' || one.dev === true || one.devOptional === true) continue;
    if (!fits(one.os, PLATFORM.os) || !fits(one.cpu, PLATFORM.cpu) || !fits(one.libc, PLATFORM.libc)) continue;
    if (!existsSync(path)) {
      if (one.optional === true) continue;
      fail(`${path} is not installed: run npm ci.`);
    }
    const nested = join(path, 'node_modules');
    cpSync(path, join(folder, path), {
      recursive: true,
      filter: (source) => !source.startsWith(nested) && !LEFT_OUT.test(source),
    });
  }
}

function fits(wanted, is) {
  if (wanted === undefined) return true;
  return wanted.includes(is) || (wanted.every((one) => one.startsWith('!')) && !wanted.includes(`!${is}`));
}

function sbom() {
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev', '--package-lock-only'];
  const { status, stdout, stderr } = spawnSync('npm', args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (status !== 0) fail(`npm sbom failed: ${stderr}`);
  const list = JSON.parse(stdout);
  // What is not in the bundle is not in the list.
  const inside = (component) =>
    component.properties?.some(
      ({ name: key, value }) => key === 'cdx:npm:package:path' && existsSync(join(folder, value)),
    );
  list.components = list.components.filter(inside);
  const known = new Set([list.metadata.component['bom-ref'], ...list.components.map((one) => one['bom-ref'])]);
  list.dependencies = list.dependencies
    .filter(({ ref }) => known.has(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((one) => known.has(one)) }));
  writeFileSync(join(folder, 'sbom.cdx.json'), `${JSON.stringify(list, null, 2)}\n`);
}

function archive() {
  const file = join(out, `${name}.tar.gz`);
  // Names sorted, owners left out: the same tree gives nearly the same archive.
  const args = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '-czf', file, '-C', dirname(folder), name];
  const { status, stderr } = spawnSync('tar', args, { encoding: 'utf8' });
  if (status !== 0) fail(`tar failed: ${stderr}`);
  const bytes = readFileSync(file);
  const digest = createHash('sha256').update(bytes).digest('hex');
  writeFileSync(`${file}.sha256`, `${digest}  ${name}.tar.gz\n`);
  tryOut(file);
  console.log(`${file}\n  ${(bytes.length / 1e6).toFixed(0)} MB, sha256 ${digest}`);
}

/** What a hospital does with it: unpacks it into an empty folder, without the checkout and without npm, and runs each program. */
function tryOut(file) {
  const empty = mkdtempSync(join(tmpdir(), 'veilsum-bundle-'));
  const run = (command, args) => {
    // Only the folder of node itself and of the shell's tools: no npm configuration, no proxy, no NODE_PATH.
    const env = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, HOME: empty };
    const done = spawnSync(command, args, { encoding: 'utf8', cwd: empty, env });
    if (done.status !== 0) fail(`${command} ${args.join(' ')} failed in the unpacked bundle: ${done.stderr}`);
  };
  run('tar', ['-xzf', file]);
  for (const program of Object.keys(PROGRAMS)) run(join(empty, name, 'bin', program), ['--help']);
  rmSync(empty, { recursive: true });
}

function fail(why) {
  console.error(why);
  process.exit(1);
}

// Every gate must be able to catch what it is there for. A copy of the tree is first found clean; then one violation of each rule is
// planted in it, each in a file of its own, and each must be reported by the rule that forbids it.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOTS = ['src', 'silo-agent', 'coordinator', 'auditor', 'certs', 'tools'];
const CONFIGS = ['package.json', 'tsconfig.json', 'tsconfig.pure.json', 'eslint.config.js', '.dependency-cruiser.cjs'];

interface Plant {
  readonly rule: string;
  readonly file: string;
  readonly text: string;
}

let counter = 0;

/** Import rules: planted file, and the dependency-cruiser rule that must name it. */
const IMPORTS: readonly Plant[] = [
  plant('room-base', 'src/base', "export * from '../crypto/index.js';"),
  plant('room-crypto', 'src/crypto', "export const f = () => import('../storage/index.js');"),
  plant('room-vector', 'src/vector', "export * from '../crypto/index.js';"),
  plant('room-wire', 'src/wire', "export * from '../protocol/index.js';"),
  plant('room-model', 'src/model', "export * from '../crypto/index.js';"),
  plant(
    'room-protocol',
    'src/protocol/silo',
    "import type { Bundle } from '../../pki/index.js';\nexport type X = Bundle;",
  ),
  plant('room-job', 'src/job', "export * from '../protocol/index.js';"),
  plant('room-system', 'src/system', "export * from '../crypto/index.js';"),
  plant('room-telemetry', 'src/telemetry', "export * from '../crypto/index.js';"),
  plant('room-config', 'src/config', "export * from '../wire/index.js';"),
  plant('room-storage', 'src/storage', "export * from '../transport/index.js';"),
  plant('room-pki', 'src/pki', "export * from '../storage/index.js';"),
  plant('room-dataset', 'src/dataset', "export * from '../trainer/index.js';"),
  plant('room-trainer', 'src/trainer', "export * from '../dataset/index.js';"),
  plant('room-transport', 'src/transport', "export * from '../storage/index.js';"),
  plant('known-room', 'src/helpers', "export * from '../base/index.js';"),
  plant('through-the-door', 'src/protocol', "export { derive } from '../crypto/kdf.js';"),
  plant('programs-through-the-door', 'coordinator', "export { derive } from '../src/crypto/kdf.js';"),
  plant('programs-apart', 'silo-agent', "export * from '../coordinator/errors.js';"),
  plant('programs-apart', 'auditor', "export * from '../coordinator/errors.js';"),
  plant('programs-apart', 'certs', "export * from '../auditor/errors.js';"),
  plant('roles-apart', 'src/protocol/silo', "export { dueFor } from '../coordinator/due.js';"),
  plant('roles-apart', 'src/protocol/coordinator', "export { advanceSilo } from '../silo/advance.js';"),
  plant('nothing-imports-tests', 'src/vector', "export * from '../../test/support/planted.js';"),
  plant('pure-no-node', 'src/protocol/silo', "export { readFileSync } from 'node:fs';"),
  plant('crypto-only-node-crypto', 'src/crypto', "export { readFileSync } from 'node:fs';"),
  plant('home-noble', 'src/protocol/silo', "export { sha256 } from '@noble/hashes/sha2.js';"),
  plant('home-grpc', 'coordinator', "export { status } from '@grpc/grpc-js';"),
  plant('home-grpc-health-check', 'coordinator', "export * from 'grpc-health-check';"),
  plant('home-bufbuild-protobuf', 'src/protocol', "export * from '@bufbuild/protobuf/wire';"),
  plant('home-onnxruntime-node', 'silo-agent', "export { InferenceSession } from 'onnxruntime-node';"),
  plant('home-duckdb', 'silo-agent', "export * from '@duckdb/node-api';"),
  plant('home-pg-cursor', 'silo-agent', "export { default } from 'pg-cursor';"),
  plant('home-fast-png', 'silo-agent', "export { decode } from 'fast-png';"),
  plant('home-lmdb', 'coordinator', "export * from 'lmdb';"),
  plant('home-pg', 'coordinator', "export { Client } from 'pg';"),
  plant('home-aws-sdk', 'coordinator', "export { S3Client } from '@aws-sdk/client-s3';"),
  plant('home-peculiar-x509', 'certs', "export * from '@peculiar/x509';"),
  plant('home-reflect-metadata', 'certs', "import 'reflect-metadata';\nexport const x = 1;"),
  plant('home-pino', 'coordinator', "export { pino } from 'pino';"),
  plant('home-yaml', 'tools', "export { parse } from 'yaml';"),
  plant('home-zod', 'coordinator', "export { z } from 'zod';"),
  plant('home-commander', 'src/config', "export { Command } from 'commander';"),
  plant('no-undeclared-package', 'tools', "export * from 'protobufjs';"),
  plant('resolvable', 'src/base', "export * from './nowhere.js';"),
  plant(
    'no-circular',
    'src/base',
    `import { y } from './planted-${String(counter)}.js';\nexport const y2 = y;\nexport const y = 1;`,
  ),
];

/** Rules of the language in pure rooms and everywhere: planted file, and the eslint rule that must name it. */
const LANGUAGE: readonly Plant[] = [
  plant('no-restricted-globals', 'src/protocol', 'export const now = () => Date.now();'),
  plant('no-restricted-globals', 'src/vector', 'export const later = (f: () => void) => setTimeout(f, 1);'),
  plant('no-restricted-globals', 'src/job', 'export const env = () => process.env;'),
  plant('no-restricted-properties', 'src/model', 'export const r = () => Math.random();'),
  plant(
    'no-restricted-syntax',
    'src/protocol',
    'export async function f(): Promise<void> { await Promise.resolve(); }',
  ),
  plant(
    '@typescript-eslint/switch-exhaustiveness-check',
    'coordinator',
    "export function f(x: 'a' | 'b'): number { switch (x) { case 'a': return 1; } return 2; }",
  ),
  plant('@typescript-eslint/no-explicit-any', 'silo-agent', 'export const f = (x: any): number => (x ? 1 : 2);'),
  plant(
    '@typescript-eslint/no-non-null-assertion',
    'coordinator',
    'export const f = (x: string | undefined): string => x!;',
  ),
  plant('@typescript-eslint/no-floating-promises', 'coordinator', 'export function f(): void { Promise.resolve(); }'),
  plant('no-console', 'coordinator', "export const f = (): void => { console.log('x'); };"),
];

/** What the compiler must not let a pure room see. */
const TYPES: readonly Plant[] = [
  plant('TS', 'src/protocol', "import { readFileSync } from 'node:fs';\nexport const f = readFileSync;"),
  plant('TS', 'src/vector', 'export const f = (x: Buffer): number => x.length;'),
  plant('TS', 'src/crypto', "import { randomBytes } from 'node:crypto';\nexport const f = randomBytes;"),
  plant('TS', 'src/base', 'export const f = (): string => document.title;'),
];

function plant(rule: string, folder: string, text: string): Plant {
  return { rule, file: `${folder}/planted-${String(counter++)}.ts`, text };
}

let copy = '';

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'veilsum-canary-'));
  for (const name of [...ROOTS, ...CONFIGS]) cpSync(name, join(copy, name), { recursive: true });
  symlinkSync(resolve('node_modules'), join(copy, 'node_modules'));
  put({ rule: '', file: 'test/support/planted.ts', text: 'export const planted = 1;' });
});

afterAll(() => {
  rmSync(copy, { recursive: true, force: true });
});

function put({ file, text }: Plant): void {
  mkdirSync(dirname(join(copy, file)), { recursive: true });
  writeFileSync(join(copy, file), `${text}\n`);
}

function run(bin: string, args: readonly string[]): string {
  const done = spawnSync(join('node_modules', '.bin', bin), args, { cwd: copy, encoding: 'utf8', maxBuffer: 1 << 28 });
  return done.stdout;
}

/** `rule file` of every violation that dependency-cruiser reports. */
function importViolations(): string[] {
  const report = JSON.parse(run('depcruise', ['--output-type', 'json', ...ROOTS, 'test'])) as {
    summary: { violations: { from: string; rule: { name: string } }[] };
  };
  return report.summary.violations.map(({ from, rule }) => `${rule.name} ${from}`);
}

/** `rule file` of everything that eslint reports in the planted files. */
function languageViolations(files: readonly string[]): string[] {
  const results = JSON.parse(run('eslint', ['--format', 'json', ...files])) as {
    filePath: string;
    messages: { ruleId: string | null }[];
  }[];
  return results.flatMap(({ filePath, messages }) =>
    messages.map(({ ruleId }) => `${ruleId ?? 'parse'} ${filePath.slice(filePath.indexOf(copy) + copy.length + 1)}`),
  );
}

describe('the gates', () => {
  it('find the tree as it is clean', () => {
    expect(importViolations()).toEqual([]);
    expect(run('tsc', ['-p', 'tsconfig.pure.json'])).toBe('');
  });

  it('catch every planted import', () => {
    IMPORTS.forEach(put);
    const found = new Set(importViolations());
    const missed = IMPORTS.filter(({ rule, file }) => !found.has(`${rule} ${file}`));
    expect(missed.map(({ rule, file }) => `${rule} ${file}`)).toEqual([]);
    for (const { file } of IMPORTS) rmSync(join(copy, file));
  });

  it('catch every planted breach of the language rules', () => {
    LANGUAGE.forEach(put);
    const found = new Set(languageViolations(LANGUAGE.map(({ file }) => file)));
    const missed = LANGUAGE.filter(({ rule, file }) => !found.has(`${rule} ${file}`));
    expect(missed.map(({ rule, file }) => `${rule} ${file}`)).toEqual([]);
    for (const { file } of LANGUAGE) rmSync(join(copy, file));
  });

  it('let a pure room see neither Node nor the DOM', () => {
    TYPES.forEach(put);
    const output = run('tsc', ['-p', 'tsconfig.pure.json']);
    const missed = TYPES.filter(({ file }) => !output.includes(file));
    expect(missed.map(({ file }) => file)).toEqual([]);
  });
});

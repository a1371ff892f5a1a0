// The smoke run of the bench: that it ends and says something finite of everything. How fast anything is, is not asserted.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.js';

/** Paths of all numbers in it that are not finite; JSON has null for those. */
function notFinite(value: unknown, path: string): string[] {
  if (value === null) return [path];
  if (typeof value === 'object') return Object.entries(value).flatMap(([key, one]) => notFinite(one, `${path}.${key}`));
  return [];
}

it('measures kernels, stages, transport, rounds and start-up, and writes them as JSON', () => {
  const file = join(temporaryFolder(), 'bench.json');
  const printed = execFileSync(process.execPath, ['dist/tools/bench/main.js', '--smoke', '--json', file], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const figures = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  expect(notFinite(figures, 'figures')).toEqual([]);
  for (const name of [
    'maskVsAes',
    'maskVsCopy',
    'uploadVsTls',
    'secureVsPlain',
    'secureVsPlainApart',
    'verifyVsUnmask',
  ])
    expect(figures[name], name).toBeGreaterThan(0);
  expect(figures).toMatchObject({ complete: true, failed: [], smoke: true });
  expect(Object.keys(figures)).toEqual(
    expect.arrayContaining(['machine', 'kernels', 'stages', 'transport', 'rounds', 'startUp', 'growth']),
  );
  const stages = figures['stages'] as {
    n: number;
    d: number;
    bits: number;
    bytes: { upload: number };
    masks: { silo: number };
  }[];
  for (const { n, d, bits, bytes, masks } of stages) {
    expect(bytes.upload).toBe(Math.ceil((d * bits) / 8));
    expect(masks.silo).toBe(n);
  }
  for (const name of ['maskVsAes', 'uploadVsTls', 'secureVsPlain']) expect(printed).toContain(name);
});

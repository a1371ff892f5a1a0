// The files that people write. Mistakes there are honest ones, but a job file or a roster travels by mail, and every program reads it.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { concat, utf8 } from '../../../src/base/index.js';
import {
  ConfigError,
  printConfig,
  readAgentConfig,
  readClientConfig,
  readCoordinatorConfig,
  readJobFile,
  readRosterFile,
  rosterFromFile,
} from '../../../src/config/index.js';
import { encode, Roster } from '../../../src/wire/index.js';
import { mutateBytes } from '../bytes.js';
import { newFolder } from '../folder.js';
import type { Random } from '../random.js';
import { attemptedLater, never, Violation, type Target } from '../target.js';

type Reader = (path: string) => Promise<unknown>;

const FILES: readonly (readonly [string, Reader])[] = [
  ['agent', readAgentConfig],
  ['client', readClientConfig],
  ['coordinator', readCoordinatorConfig],
  ['roster', readRoster],
  ['job-train', readJobFile],
  ['job-statistics', readJobFile],
];

async function readRoster(path: string): Promise<unknown> {
  const file = await readRosterFile(path);
  encode(Roster, rosterFromFile(file));
  return file;
}

const SCALARS: readonly string[] = [
  '~',
  '""',
  '0',
  '-1',
  '1e999',
  '-.inf',
  '.nan',
  '0x7fffffffffffffff',
  '9007199254740993',
  '1e15',
  '0.5',
  'yes',
  'true',
  '[]',
  '{}',
  '"\\0"',
  '"\\e[2J"',
  '"\\u202e"',
  '0000-01-01',
  '9999-12-31',
  '2026-02-31',
  '2026-13-01T00:00:00Z',
  '!!binary aGk=',
  '!!set {a}',
  '!!js/function "x"',
  '!!float 1',
  '*nobody',
  '&a [*a]',
  '|\n  x',
  '"ｈospital"',
  "'unclosed",
  '[1, 2',
  '{a: 1',
  '? a',
  '%TAG ! x',
  '---',
];
const LINES: readonly string[] = [
  '__proto__: {polluted: 1}',
  'constructor: {prototype: {polluted: 1}}',
  '"__proto__": {polluted: 1}',
  'toString: 1',
  '<<: {polluted: 1}',
  '<<: *a',
  '? {a: 1}\n: 2',
  '? [1]\n: 2',
  '- 1',
  '\t- x',
  'a: &a [x, x, x, x, x, x, x, x]',
  '# comment \u0085',
  '...',
  '---',
  '%YAML 1.1',
  '\ufeffa: 1',
  '!!map {}',
  '1: 2',
  'null: 1',
  '? |\n  block\n: 1',
];

/** Nine doublings of a list of ten: a billion elements, if anybody resolves them. */
function bomb(levels: number): string {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let k = 1; k <= levels; k++) {
    const refs = Array.from({ length: 10 }, () => `*a${k - 1}`).join(', ');
    lines.push(`a${k}: &a${k} [${refs}]`);
  }
  return lines.join('\n');
}

function edited(random: Random, text: string): string {
  const lines = text.split('\n');
  const at = random.below(lines.length);
  const line = lines[at] ?? '';
  const indent = /^ */.exec(line)?.[0] ?? '';
  switch (random.below(10)) {
    case 0:
      return lines.toSpliced(at, 1).join('\n');
    case 1:
      return lines.toSpliced(at, 0, line).join('\n');
    case 2:
      return lines.toSpliced(at, 0, indent + random.pick(LINES)).join('\n');
    case 3:
      return lines.with(at, line.replace(/^( *)/, random.once(2) ? '$1  ' : '')).join('\n');
    case 4:
      return random.once(8)
        ? `${text}\n${bomb(1 + random.below(10))}\n`
        : lines.with(at, line.replace(/(\w+):/, '$1x:')).join('\n');
    case 5:
      return lines
        .with(at, `${line.split(': ')[0] ?? ''}: ${(random.once(2) ? '[' : '{a: ').repeat(random.size(3000))}`)
        .join('\n');
    case 6:
      return lines.with(at, `${line.split(': ')[0] ?? ''}: ${'a'.repeat(random.size(100_000))}`).join('\n');
    default:
      return lines.with(at, line.replace(/: .*$/, `: ${random.pick(SCALARS)}`)).join('\n');
  }
}

export function configTarget(): Target {
  const folder = newFolder();
  const samples = FILES.map(([name]) => readFileSync(`docs/samples/${name}.yaml`, 'utf8'));
  return {
    name: 'config',
    generate: (random) => {
      const which = random.below(FILES.length);
      let text = samples[which]!;
      for (let edits = 1 + random.size(3); edits > 0; edits--) text = edited(random, text);
      const bytes = random.once(6) ? mutateBytes(random, utf8(text)) : utf8(text);
      return concat(Uint8Array.of(which), bytes.subarray(0, 150_000));
    },
    execute: async (input) => {
      const [name, read] = FILES[(input[0] ?? 0) % FILES.length]!;
      const path = join(folder.path, `${name}.yaml`);
      writeFileSync(path, input.subarray(1));
      const end = await attemptedLater(async () => {
        const value = await refusedAsConfig(() => read(path));
        printConfig(value as never);
      });
      never('polluted' in {}, 'a file has reached the prototype of every object');
      return end;
    },
    close: folder.remove,
  };
}

async function refusedAsConfig(read: () => Promise<unknown>): Promise<unknown> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new Violation(`a file made its reader throw ${error instanceof Error ? (error.stack ?? '') : String(error)}`);
  }
}

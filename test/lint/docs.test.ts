// The documents against the code they describe: links, commands, labels, limits, tables, and nothing of anybody's machine.

import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/base/index.js';
import { LABELS, SIGNED_TYPES } from '../../src/crypto/index.js';
import { thresholdFor, validCohortSizes } from '../../src/protocol/index.js';
import { EXIT } from '../../src/system/index.js';
import { EVENTS } from '../../src/telemetry/index.js';
import { ENTRY_KINDS } from '../../src/transcript/index.js';
import { CLIENT_LIMITS, SERVER_LIMITS } from '../../src/transport/limits.js';

const PAGES = ['README.md', 'CHANGELOG.md', ...markdownIn('docs')];
const text = (page: string): string => readFileSync(page, 'utf8');
const operations = text('docs/operations.md');
const protocol = text('docs/protocol.md');

function markdownIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.md'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Without fenced code, where brackets are no links. */
function prose(page: string): string {
  return text(page).replace(/^```[\s\S]*?^```$/gm, '');
}

/** Anchors as GitHub makes them. */
function anchorsOf(page: string): Set<string> {
  const headings = [...prose(page).matchAll(/^#+ (.+)$/gm)].map((match) => match[1] ?? '');
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s-]/gu, '')
        .trim()
        .replaceAll(' ', '-'),
    ),
  );
}

/** Rows of the first table after a heading or line, as cells without backticks. */
function table(page: string, after: string): string[][] {
  const rest = page.slice(page.indexOf(after) + after.length);
  const lines = rest.slice(rest.indexOf('\n|') + 1).split('\n');
  const rows = lines.slice(
    0,
    lines.findIndex((line) => !line.startsWith('|')),
  );
  return rows.slice(2).map((row) =>
    row
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim().replaceAll('`', '')),
  );
}

const inWords = (value: number): string => value.toLocaleString('en-US');

describe('links', () => {
  it('lead to files and headings that exist', () => {
    const broken: string[] = [];
    let checked = 0;
    for (const page of PAGES)
      for (const [, target = ''] of prose(page).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^https?:/.test(target)) continue;
        checked++;
        const [path = '', anchor] = target.split('#');
        const file = path === '' ? page : join(dirname(page), path);
        if (!existsSync(file)) broken.push(`${page}: ${target}`);
        else if (anchor !== undefined && !anchorsOf(file).has(anchor)) broken.push(`${page}: ${target}`);
      }
    expect(checked).toBeGreaterThan(30);
    expect(broken).toStrictEqual([]);
  });

  it('name test and source files that exist', () => {
    const named = PAGES.flatMap((page) => [
      ...text(page).matchAll(/`((?:src|test|tools|silo-agent|coordinator|auditor|certs|proto)\/[\w./-]+\.\w+)`/g),
    ]).map((match) => match[1] ?? '');
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((path) => !existsSync(path))).toStrictEqual([]);
  });

  it('quote test titles that exist', () => {
    const rows = table(text('docs/threat-model.md'), '## Attacks').map((row) => row.at(-1) ?? '');
    const missing: string[] = [];
    for (const cell of rows)
      for (const [, file = '', title = ''] of cell.matchAll(/([\w./-]+\.test\.ts) "([^"]+)"/g)) {
        const path = file.startsWith('test/') ? file : join('test/unit/protocol', file);
        if (!text(path).includes(title)) missing.push(`${file}: ${title}`);
      }
    expect(missing).toStrictEqual([]);
    const files = rows.flatMap((cell) => [...cell.matchAll(/(?<![\w/-])([\w-]+\.test\.ts)/g)]).map((match) => match[1]);
    expect(
      files.filter(
        (file) => !existsSync(`test/unit/protocol/${String(file)}`) && !existsSync(`test/unit/storage/${String(file)}`),
      ),
    ).toStrictEqual([]);
  });
});

describe('commands', () => {
  const MAIN: Record<string, string> = {
    'veilsum-coordinator': 'dist/coordinator/main.js',
    'veilsum-agent': 'dist/silo-agent/main.js',
    'veilsum-audit': 'dist/auditor/main.js',
    'veilsum-ca': 'dist/certs/main.js',
  };
  const known = new Map<string, Set<string>>();
  const help = (main: string, ...command: string[]): string =>
    execFileSync(process.execPath, [main, ...command, '--help'], { encoding: 'utf8' });

  beforeAll(() => {
    for (const [program, main] of Object.entries(MAIN))
      known.set(program, new Set([...help(main).matchAll(/^ {2}([a-z]+)(?: .*)?$/gm)].map((match) => match[1] ?? '')));
  });

  /** Fenced blocks and code in backticks: prose may go on after a program's name. */
  const codeOf = (page: string): string =>
    [...text(page).matchAll(/^```[\s\S]*?^```$|`[^`\n]+`/gm)].map((match) => match[0]).join('\n');

  it('of the programs exist', () => {
    const named = PAGES.flatMap((page) =>
      [...codeOf(page).matchAll(/\b(veilsum-[a-z]+) ([a-z]+)\b/g)].map(([, program = '', command = '']) => ({
        page,
        program,
        command,
      })),
    );
    expect(named.length).toBeGreaterThan(40);
    expect(named.filter(({ program, command }) => known.get(program)?.has(command) !== true)).toStrictEqual([]);
  });

  it('are all in the README', () => {
    const readme = text('README.md');
    for (const [program, commands] of known)
      for (const command of commands) {
        if (command === 'help') continue;
        expect(readme).toContain(`\`${program} ${command}\``);
      }
  });

  it('of npm exist', () => {
    const { scripts } = JSON.parse(text('package.json')) as { scripts: Record<string, string> };
    const named = PAGES.flatMap((page) => [...text(page).matchAll(/npm run ([a-z-]+)/g)]).map(
      (match) => match[1] ?? '',
    );
    expect(named).toContain('demo');
    expect(named.filter((name) => !(name in scripts))).toStrictEqual([]);
  });
});

describe('tables', () => {
  it('of labels equal the code', () => {
    const listed = table(protocol, 'None is a prefix of another.').map(([label]) => label);
    expect(listed).toStrictEqual(Object.values(LABELS));
  });

  it('of signed types equal the code', () => {
    const listed = table(protocol, 'Signed types, each under').map(([type]) => type);
    expect(listed).toStrictEqual([...SIGNED_TYPES]);
  });

  it('of log entries equal the code', () => {
    const rows = table(protocol, 'a release is logged by the digest of its Unmask envelope.');
    const rules: [string, { number: number; depth: string; forms: readonly string[]; type?: string }][] =
      Object.entries(ENTRY_KINDS);
    expect(rows.map(([kind, number, depth]) => [kind, Number(number), depth])).toStrictEqual(
      rules.map(([kind, { number, depth }]) => [kind, number, depth]),
    );
    for (const [k, [, { forms, type }]] of rules.entries()) {
      const body = rows[k]?.[3] ?? '';
      expect(
        ['envelope', 'digest', 'statement'].filter((form) => new RegExp(`\\b${form}( |$|,|;)`).test(body)),
      ).toEqual(expect.arrayContaining([...forms]));
      expect(type === undefined || body.includes(type)).toBe(true);
    }
  });

  it('of thresholds are computed', () => {
    const rows = table(protocol, 'there is one\nsurvivor set per attempt.').map((row) => row.map(Number));
    expect(rows.length).toBeGreaterThan(8);
    for (const [n = 0, t, absent, c = 0, honest] of rows) {
      const allowed = (malicious: number): boolean =>
        validCohortSizes(n, { c: malicious, minCohort: 3, minHonest: 2 }).includes(n);
      expect([t, absent, honest]).toStrictEqual([thresholdFor(n), n - thresholdFor(n), thresholdFor(n) - c]);
      expect([allowed(c), allowed(c + 1)]).toStrictEqual([true, false]);
    }
  });

  it('of log events equal the code', () => {
    const listed = table(operations, '## Log events').map(([event]) => event);
    expect(listed).toStrictEqual(Object.keys(EVENTS));
  });

  it('of exit codes equal the code', () => {
    const listed = table(operations, '## Exit codes').map(([code, name]) => [name, Number(code)]);
    expect(Object.fromEntries(listed)).toStrictEqual({ ...EXIT });
  });

  it('of limits have every limit with its value', () => {
    const listed = Object.fromEntries(table(operations, '## Limits').map(([name = '', value = '']) => [name, value]));
    const limits = Object.fromEntries(Object.entries(LIMITS).map(([name, value]) => [name, inWords(value)]));
    expect(listed).toStrictEqual(limits);
  });

  it('of times have the values of the code', () => {
    const rows = table(operations, 'Times of connections');
    expect(rows.length).toBeGreaterThan(8);
    const server: Record<string, unknown> = { ...SERVER_LIMITS };
    const client: Record<string, unknown> = { ...CLIENT_LIMITS };
    for (const [name = '', side, value] of rows) {
      if (side !== 'client') expect([name, inWords(Number(server[name]))]).toStrictEqual([name, value]);
      if (side !== 'server') expect([name, inWords(Number(client[name]))]).toStrictEqual([name, value]);
    }
  });

  it('of rooms equal the import rules', () => {
    const { forbidden } = createRequire(import.meta.url)('../../.dependency-cruiser.cjs') as {
      forbidden: { name: string; to: { pathNot?: string } }[];
    };
    const rules = forbidden
      .filter(({ name }) => name.startsWith('room-'))
      .map(({ name, to }) => {
        const [own, ...may] = (/\((.+)\)/.exec(to.pathNot ?? '')?.[1] ?? '').split('|');
        expect(own).toBe(name.slice('room-'.length));
        return [own, may.join(', ')];
      });
    const listed = table(text('docs/design/rooms.md'), '## Who may import whom').map(([room, may = '']) => [
      room,
      may === '–' ? '' : may,
    ]);
    expect(listed).toStrictEqual(rules);
  });
});

describe('every page', () => {
  it('names nobody’s machine', () => {
    const MACHINE = /(?<![\w.])\/(?:work|home|root|Users|tmp)\/|localhost:\d+\/|C:\\/;
    expect(PAGES.filter((page) => MACHINE.test(text(page)))).toStrictEqual([]);
    // The search itself works.
    expect(MACHINE.test('see /home/somebody/file')).toBe(true);
  });

  it('begins with one heading', () => {
    expect(PAGES.filter((page) => !/^# \S/.test(text(page)))).toStrictEqual([]);
  });
});

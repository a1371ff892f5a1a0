// The run book of docs/operations.md has an entry for each alert and for each error code, and none for what does not exist.

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { ERROR_CHAPTERS } from '../../tools/errors-doc.js';

const book = readFileSync('docs/operations.md', 'utf8').split('## Run book')[1]!;
const codes = ERROR_CHAPTERS.flatMap((chapter) => Object.keys(chapter.codes));

interface Entry {
  readonly names: readonly string[];
  readonly when: string;
  readonly what: string;
}

function entriesIn(text: string): Entry[] {
  const table = text.split('### By code')[1] ?? '';
  return [...table.matchAll(/^\| (`.*?) +\| (.*?) +\| (.*?) +\|$/gm)].map(([, names, when, what]) => ({
    names: [...names!.matchAll(/`([^`]+)`/g)].map((match) => match[1]!),
    when: when!,
    what: what!,
  }));
}

const familyOf = (code: string): string => `${code.split('/')[0]!}/*`;

/** What is wrong with the entries, by name. */
function problems(entries: readonly Entry[], known: readonly string[]): string[] {
  const names = entries.flatMap((entry) => entry.names);
  const exact = new Set(names.filter((name) => !name.endsWith('/*')));
  const families = new Set(names.filter((name) => name.endsWith('/*')));
  const left = known.filter((code) => !exact.has(code));
  return [
    ...left.filter((code) => !families.has(familyOf(code))).map((code) => `${code} has no entry`),
    ...[...exact].filter((name) => !known.includes(name)).map((name) => `${name} is no code`),
    ...[...families]
      .filter((name) => !left.some((code) => familyOf(code) === name))
      .map((name) => `${name} stands for nothing`),
    ...names.filter((name, k) => names.indexOf(name) !== k).map((name) => `${name} has two entries`),
    ...entries
      .filter(({ when }) => !/^(now|day|none)\b/.test(when))
      .map((entry) => `${entry.names[0]!} does not say when`),
    ...entries.filter(({ what }) => what.length < 40).map((entry) => `${entry.names[0]!} does not say what to do`),
  ];
}

it('says of each error code when somebody has to act, who, and what to do first', () => {
  expect(codes.length).toBeGreaterThan(300);
  expect(problems(entriesIn(book), codes)).toEqual([]);
});

it('would say so if a code, a family or an action were missing', () => {
  const entries = entriesIn(book);
  expect(problems(entries, [...codes, 'brand/new'])).toEqual(['brand/new has no entry']);
  expect(
    problems(
      entries,
      codes.filter((code) => code !== 'system/secret-exposed'),
    ),
  ).toEqual(['system/secret-exposed is no code']);
  expect(
    problems(
      entries.filter(({ names }) => !names.includes('network/*')),
      codes,
    ),
  ).toContain('network/unreachable has no entry');
  expect(problems([{ names: ['gone/*'], when: 'later', what: 'wait' }], [])).toEqual([
    'gone/* stands for nothing',
    'gone/* does not say when',
    'gone/* does not say what to do',
  ]);
});

it('names sections that are there', () => {
  const all = readFileSync('docs/operations.md', 'utf8');
  const headings = [...all.matchAll(/^#+ (.*)$|\*\*([^*]+?)\.?\*\*/gm)].map((match) =>
    (match[1] ?? match[2]!).replace(/\s+/g, ' ').toLowerCase(),
  );
  for (const { what } of entriesIn(book))
    for (const [, title] of what.matchAll(/"([^"]+)"/g))
      expect(
        headings.some((heading) => heading.includes(title!.toLowerCase())),
        title,
      ).toBe(true);
});

it('has a paragraph for each alert', () => {
  interface Rules {
    readonly groups: readonly { readonly rules: readonly { readonly alert?: string }[] }[];
  }
  const { groups } = parse(readFileSync('deploy/prometheus/alerts.yaml', 'utf8')) as Rules;
  const alerts = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert!));
  expect(alerts.length).toBeGreaterThan(5);
  const paragraphs = book.split(/\n\n+/);
  for (const alert of alerts) {
    const entry = paragraphs.find((text) => text.startsWith('**') && text.split(': ')[0]!.includes(`\`${alert}\``));
    expect(entry, alert).toBeDefined();
    expect(entry!.length, alert).toBeGreaterThan(120);
  }
});

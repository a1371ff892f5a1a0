// docs/models.md lists exactly the operators that have a rule.

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { RULES } from '../../src/model/index.js';

/** The table as the page must have it. */
function table(): string {
  const rules = [...RULES.values()].sort((a, b) => (a.operator < b.operator ? -1 : 1));
  const rows = rules.map(
    ({ operator, since, backward }) =>
      `| ${operator} | ${since === undefined ? '13' : String(since)} | ${backward === undefined ? 'no gradient' : ''} |`,
  );
  return ['| operator | from operator set | |', '|---|---|---|', ...rows].join('\n');
}

it('docs/models.md lists the operators of the rules', () => {
  const page = readFileSync('docs/models.md', 'utf8');
  const from = page.indexOf('| operator |');
  expect(page.slice(from, page.indexOf('\n\n', from))).toBe(table());
});

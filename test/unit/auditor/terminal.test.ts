// What stands on a screen, and what goes through a pipe.

import { expect, it } from 'vitest';
import { guarded, printTable } from '../../../auditor/terminal.js';

const NAME = 'transcript-of-a-round '.repeat(6).trim();

function table(columns: number | undefined, header = ['ENTRY', 'WHAT']): string[] {
  const lines: string[] = [];
  const terminal = guarded({ print: (line) => lines.push(line), note: () => undefined, columns });
  printTable(terminal, header, [
    ['1', NAME],
    ['2', 'read'],
  ]);
  return lines;
}

it('cuts the last column of a table at the edge of a screen', () => {
  expect(table(100)[1]).toBe(`1      ${NAME.slice(0, 92)}…`);
  expect(table(120)[1]).toBe(`1      ${NAME.slice(0, 112)}…`);
  expect(table(200)[1]).toBe(`1      ${NAME}`);
  expect(table(100, ['E'.repeat(120), 'WHAT'])[1]).toMatch(/ transcript-of-a…$/);
});

it('cuts nothing where nobody looks at a screen', () => {
  expect(table(undefined)).toEqual(['ENTRY  WHAT', `1      ${NAME}`, '2      read']);
});

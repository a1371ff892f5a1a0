// Where output goes. Results on standard output, everything else on standard error; colours only for somebody who looks at a terminal.

export type Style = 'plain' | 'heading';

export interface Terminal {
  /** One line of the result. */
  print(line: string, style?: Style): void;
  /** One line for whoever runs the command; never part of a result. */
  note(line: string): void;
  /** Characters in a line of the result; undefined where nobody looks at a screen, so that nothing is cut. */
  readonly columns?: number | undefined;
}

const BOLD = '\u001b[1m';
const RESET = '\u001b[0m';

/** Text of others goes to a terminal: control characters and changes of direction could make it say something else. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ');
}

export function systemTerminal(): Terminal {
  const screen = process.stdout.isTTY;
  const colour = screen && (process.env['NO_COLOR'] ?? '') === '';
  return {
    columns: screen ? Math.max(TABLE_COLUMNS, process.stdout.columns) : undefined,
    print: (line, style = 'plain') => {
      process.stdout.write(`${colour && style === 'heading' ? `${BOLD}${line}${RESET}` : line}\n`);
    },
    note: (line) => {
      process.stderr.write(`${line}\n`);
    },
  };
}

/** A terminal that is given printable text only. */
export function guarded(terminal: Terminal): Terminal {
  return {
    columns: terminal.columns,
    print: (line, style) => {
      terminal.print(printable(line), style);
    },
    note: (line) => {
      terminal.note(printable(line));
    },
  };
}

/** JSON for people and scripts, on many lines. */
export function printJson(terminal: Terminal, value: unknown): void {
  for (const line of JSON.stringify(value, null, 2).split('\n')) terminal.print(escaped(line));
}

/** JSON on one line, for streams. */
export function jsonLine(value: unknown): string {
  return escaped(JSON.stringify(value));
}

/** What `printable` would replace stands in JSON as an escape, so that no value is changed. */
function escaped(json: string): string {
  return json.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from({ length: character.length }, (_, i) => character.charCodeAt(i))
      .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

/** A table is as wide as the screen, and no narrower than this. */
const TABLE_COLUMNS = 100;
/** The last column is cut to no less than this. */
const LAST_COLUMN_MIN = 16;

/**
 * Columns as wide as their widest cell, two spaces apart; a cell never breaks its line. On a screen the last column gives way: what it
 * leaves out, JSON and a pipe have.
 */
export function printTable(terminal: Terminal, header: readonly string[], rows: readonly (readonly string[])[]): void {
  const clean = rows.map((row) => row.map(printable));
  const wide = header.map((title, i) => Math.max(title.length, ...clean.map((row) => (row[i] ?? '').length)));
  const before = wide.slice(0, -1).reduce((sum, width) => sum + width + 2, 0);
  const room = terminal.columns === undefined ? Infinity : Math.max(LAST_COLUMN_MIN, terminal.columns - before);
  const widths = wide.map((width, i) => (i === wide.length - 1 ? Math.min(width, room) : width));
  const cut = (cell: string, i: number): string =>
    i === header.length - 1 && cell.length > room ? `${cell.slice(0, room - 1)}…` : cell;
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => cut(cell, i).padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  terminal.print(line(header), 'heading');
  for (const row of clean) terminal.print(line(row));
}

/** Names and values, values aligned. */
export function printFacts(terminal: Terminal, facts: readonly (readonly [string, string])[]): void {
  const width = Math.max(...facts.map(([name]) => name.length));
  for (const [name, value] of facts) terminal.print(`${name.padEnd(width)}  ${value}`);
}

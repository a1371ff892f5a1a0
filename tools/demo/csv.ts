// The plain CSV that the demo's tables are in: a header line, commas, no quotes. Cells stay text, so that a split changes no value.

import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileDurably } from '../../src/system/index.js';

export interface CsvTable {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Throws Error with the line's number on quotes or on a row that has not as many cells as the header. */
export function parseCsv(text: string, header?: readonly string[]): CsvTable {
  if (text.includes('"')) throw new Error('this reader takes CSV without quotes only');
  const lines = text.split(/\r?\n/).filter((line) => line !== '');
  const rows = lines.map((line) => line.split(','));
  const names = header ?? rows.shift() ?? [];
  rows.forEach((row, i) => {
    if (row.length !== names.length)
      throw new Error(
        `row ${String(i + 1)} has ${String(row.length)} cells, the table has ${String(names.length)} columns`,
      );
  });
  return { header: names, rows };
}

export function formatCsv({ header, rows }: CsvTable): string {
  return [header, ...rows].map((row) => `${row.join(',')}\n`).join('');
}

export async function readCsv(path: string, header?: readonly string[]): Promise<CsvTable> {
  return parseCsv(await readFile(path, 'utf8'), header);
}

/** Writes one file per table, `<name>.csv`, and returns the paths by name. */
export async function writeTables(
  directory: string,
  tables: ReadonlyMap<string, CsvTable>,
): Promise<Map<string, string>> {
  await mkdir(directory, { recursive: true });
  const paths = new Map<string, string>();
  for (const [name, table] of tables) {
    const path = join(directory, `${name}.csv`);
    await writeFileDurably(path, new TextEncoder().encode(formatCsv(table)));
    paths.set(name, path);
  }
  return paths;
}

/** Position of a column. Throws Error when the table has none of this name. */
export function columnIndex({ header }: CsvTable, column: string): number {
  const index = header.indexOf(column);
  if (index < 0) throw new Error(`the table has no column ${column}`);
  return index;
}

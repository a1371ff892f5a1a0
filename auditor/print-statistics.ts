// The statistics of all hospitals together, for a person: tables as tables, and wherever hospitals left out small counts, how many did.

import type { Curve, HistogramReport, StatisticsReport } from '../src/job/index.js';
import { printTable, type Terminal } from './terminal.js';
import { numberWord } from './words.js';

interface Cell {
  readonly count: number;
  readonly leftOut: number;
}

export function printStatistics(terminal: Terminal, report: StatisticsReport): void {
  const { records, silos, features, histograms, contingency, correlations, missing, survival } = report;
  const heading = (text: string): void => {
    terminal.print('');
    terminal.print(text, 'heading');
  };
  terminal.print(`Statistics of ${String(records)} records in ${String(silos)} hospitals`, 'heading');
  printTable(
    terminal,
    ['COLUMN', 'UNIT', 'MEAN', 'DEVIATION'],
    features.map((one) => [one.column, one.unit, numberWord(one.mean), numberWord(one.standardDeviation)]),
  );
  if (report.noise !== undefined)
    terminal.print(
      `All of it carries noise, of a standard deviation of at most ${numberWord(report.noise)} records in their number and ${numberWord(report.noise / records)} of its range in a mean. A deviation of 0 may be one that the noise hides.`,
    );
  if (missing !== undefined) {
    heading('Missing values');
    printTable(
      terminal,
      ['COLUMN', 'RECORDS'],
      [
        ...missing.columns.map((one) => [one.column, cellWord(one)]),
        ['(left out for any)', cellWord(missing.droppedRecords)],
      ],
    );
  }
  for (const one of histograms) printHistogram(terminal, heading, one);
  for (const { rows, columns, cells, recordsLeftOut } of contingency) {
    heading(`${rows.column} by ${columns.column}${leftOutWords(recordsLeftOut)}`);
    printTable(
      terminal,
      [rows.column.toUpperCase(), ...columns.categories],
      rows.categories.map((category, i) => [category, ...(cells[i] ?? []).map(cellWord)]),
    );
  }
  if (correlations !== undefined) {
    heading('Correlations (Pearson)');
    printTable(
      terminal,
      ['', ...correlations.columns],
      correlations.columns.map((column, i) => [
        column,
        ...(correlations.matrix[i] ?? []).map((r) => (r === undefined ? 'constant' : r.toFixed(3))),
      ]),
    );
  }
  for (const curve of survival) printCurve(terminal, heading, curve);
  if (anyLeftOut(report)) {
    terminal.print('');
    terminal.print(
      '+n?: n hospitals left a small count out of this cell. It is not zero there; the true count is larger.',
    );
  }
}

function printHistogram(terminal: Terminal, heading: (text: string) => void, report: HistogramReport): void {
  const { column, unit, edges, categories, cells, recordsLeftOut, quantiles } = report;
  heading(`${column}${unit === '' ? '' : ` (${unit})`}${leftOutWords(recordsLeftOut)}`);
  const name = (i: number): string =>
    categories?.[i] ?? `${numberWord(edges?.[i] ?? 0)} to ${numberWord(edges?.[i + 1] ?? 0)}`;
  printTable(
    terminal,
    [categories === undefined ? 'FROM, TO' : 'CATEGORY', 'RECORDS'],
    cells.map((cell, i) => [name(i), cellWord(cell)]),
  );
  for (const { part, value, lowest, highest } of quantiles)
    terminal.print(
      `  ${String(Math.round(part * 100))} % are not above ${numberWord(value)}, for certain between ${numberWord(lowest)} and ${numberWord(highest)}`,
    );
}

function printCurve(terminal: Terminal, heading: (text: string) => void, { group, points }: Curve): void {
  heading(`Survival (Kaplan-Meier)${group === '' ? '' : `, ${group}`}`);
  printTable(
    terminal,
    ['UNTIL', 'AT RISK', 'EVENTS', 'CENSORED', 'SURVIVAL', 'AT LEAST', 'LEFT OUT BY'],
    points.map((point) => [
      numberWord(point.time),
      String(point.atRisk),
      String(point.events),
      String(point.censored),
      point.survival.toFixed(3),
      point.lowest.toFixed(3),
      point.leftOut === 0 ? '-' : String(point.leftOut),
    ]),
  );
}

function cellWord({ count, leftOut }: Cell): string {
  return leftOut === 0 ? String(count) : `${String(count)} +${String(leftOut)}?`;
}

function leftOutWords(records: number): string {
  return records === 0 ? '' : `, without ${String(records)} records that hospitals left out of small cells`;
}

function anyLeftOut({ histograms, contingency, missing }: StatisticsReport): boolean {
  const cells = [
    ...histograms.flatMap((one) => one.cells),
    ...contingency.flatMap((one) => one.cells.flat()),
    ...(missing === undefined ? [] : [missing.droppedRecords, ...missing.columns]),
  ];
  return cells.some(({ leftOut }) => leftOut > 0);
}

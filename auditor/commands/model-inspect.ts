// veilsum-audit model inspect: whether Veilsum trains a model, what of it, and every reason why not. Needs no coordinator.

import { InvalidArgumentError, type Command } from 'commander';
import { LIMITS } from '../../src/base/index.js';
import { readSmallFile } from '../../src/system/index.js';
import { inspectModel, type Inspection } from '../../src/trainer/index.js';
import { AuditError } from '../errors.js';
import type { GlobalOptions, World } from '../session.js';
import { printFacts, printJson, printTable, type Terminal } from '../terminal.js';

interface Options extends GlobalOptions {
  readonly batch: number;
  readonly train?: readonly string[];
}

type Accepted = Extract<Inspection, { accepted: true }>;

const BATCH = 32;
const BATCH_MAX = 65_536;

export function addModelInspect(model: Command, world: World): void {
  model
    .command('inspect')
    .description('say what of a model would be trained, or every reason why it cannot be; needs no coordinator')
    .argument('<model.onnx>', 'forward model in ONNX, with its weights inside')
    .option('--batch <rows>', 'rows of one step, which decide the memory', batchOf, BATCH)
    .option('--train <patterns...>', 'names of the parameters to train, `*` for any characters')
    .action(async (file: string, _options: object, command: Command) => {
      // Commander knows options by name only; these are the ones declared above and in program.ts.
      const { batch, train, json } = command.optsWithGlobals<Options>();
      const bytes = await readSmallFile(file, LIMITS.modelBytes);
      const inspection = await inspectModel(bytes, { batchSize: batch, ...(train === undefined ? {} : { train }) });
      if (json === true) printJson(world.terminal, jsonOf(inspection));
      else if (inspection.accepted) printAccepted(world.terminal, inspection);
      else printRefused(world.terminal, file, inspection.problems);
      if (!inspection.accepted)
        throw new AuditError(
          'audit/model-refused',
          `${file} cannot be trained; ${reasons(inspection.problems.length)}.`,
        );
    });
}

function batchOf(text: string): number {
  const rows = Number(text);
  if (!Number.isInteger(rows) || rows < 1 || rows > BATCH_MAX)
    throw new InvalidArgumentError(`expected 1 to ${String(BATCH_MAX)} rows.`);
  return rows;
}

const reasons = (count: number): string => (count === 1 ? 'there is one reason' : `there are ${String(count)} reasons`);

function printRefused(
  terminal: Terminal,
  file: string,
  problems: readonly { readonly place: string; readonly what: string }[],
): void {
  terminal.print(`${file}: refused`, 'heading');
  for (const { place, what } of problems) terminal.print(`  ${place}: ${what}`);
}

function printAccepted(terminal: Terminal, found: Accepted): void {
  const { memory } = found;
  const statistics = found.parameters.filter((slot) => slot.statistic === true).length;
  printFacts(terminal, [
    ['operator set', String(found.opset)],
    ['input', `${found.input.name}, ${found.input.type} [batch, ${found.input.rowShape.join(', ')}]`],
    ['output', `${found.output.name}, float32 [${['batch', ...found.output.rowShape].join(', ')}]`],
    ['standardised', found.standardised ? 'yes' : 'no'],
    ['vector', `${String(found.parameterCount)} values in ${String(found.parameters.length)} parameters`],
    ['running statistics', statistics === 0 ? 'none' : `${String(statistics)} of these, averaged over silos`],
    ['dropout', found.dropouts === 0 ? 'none' : `${String(found.dropouts)} places`],
    [
      'losses',
      Object.entries(found.losses)
        .flatMap(([loss, why]) => (why === undefined ? [loss] : []))
        .join(', '),
    ],
    ['training step', `${String(found.trainingNodes)} nodes`],
    ['memory', `about ${megabytes(memory.vectors + memory.step)} in a step of ${String(memory.batchSize)} rows`],
  ]);
  for (const { place, what } of found.warnings) terminal.print(`warning: ${place}: ${what}`);
  terminal.print('');
  printTable(
    terminal,
    ['parameter', 'shape', 'at', 'values', ''],
    found.parameters.map((slot) => [
      slot.name,
      `[${slot.shape.join(', ')}]`,
      String(slot.offset),
      String(slot.length),
      slot.statistic === true ? 'running statistic' : '',
    ]),
  );
  if (found.frozen.length > 0) terminal.print(`not trained: ${found.frozen.join(', ')}`);
  terminal.print('');
  printTable(
    terminal,
    ['operator', 'nodes', ''],
    found.operators.map(({ operator, nodes, differentiable }) => [
      operator,
      String(nodes),
      differentiable ? '' : 'takes no gradient',
    ]),
  );
}

const MEGABYTE = 1_000_000;
const megabytes = (bytes: number): string =>
  bytes < MEGABYTE / 10 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / MEGABYTE).toFixed(1)} MB`;

function jsonOf(found: Inspection): unknown {
  if (!found.accepted) return found;
  const losses = Object.fromEntries(Object.entries(found.losses).map(([loss, why]) => [loss, why ?? null]));
  return { ...found, losses };
}

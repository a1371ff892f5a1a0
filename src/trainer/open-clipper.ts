// Which way of clipping a model takes: the graph, where it tells records apart and has been seen to agree with single runs on made-up rows;
// one row at a time everywhere else. No record is needed to find out.

import {
  clippedGraph,
  differentiate,
  elementCount,
  ModelError,
  refuseMixing,
  type ForwardModel,
  type Loss,
} from '../model/index.js';
import { Keystream } from '../crypto/index.js';
import { ClippedStep } from './clipped-step.js';
import { measureShapes, type Runtime } from './runtime.js';
import { TrainingStep } from './step.js';
import type { Table } from './table.js';
import { GraphClipper, SingleClipper, type UnitClipper } from './unit-clipper.js';

/** Rows of one run: larger ones gain little and lose exactness (FLOAT_ALLOWANCE), smaller ones cost time. */
const RUN_MIN = 8;
const RUN_MAX = 64;
/** Expected units times rows of a run: half of what FLOAT_ALLOWANCE is for, so that a sample may be twice as large as expected. */
const UNITS_TIMES_ROWS = 4096;
/** Values of gradients written out by record that a run may hold: 256 MiB. */
const WRITTEN_MAX = 2 ** 26;

export interface OpenedClipper {
  readonly clipper: UnitClipper;
  /** Whether rows are trained one at a time. */
  readonly oneByOne: boolean;
}

/** Throws what `refuseMixing` and `openSession` throw. */
export async function openClipper(
  runtime: Runtime,
  model: ForwardModel,
  loss: Loss,
  expectedUnits: number,
  grouped: boolean,
): Promise<OpenedClipper> {
  refuseMixing(model, loss);
  const single = new SingleClipper(await openStep(runtime, model, loss));
  const graph = await openGraph(runtime, model, loss, rowsOfRun(expectedUnits), grouped);
  if (graph === undefined) return { clipper: single, oneByOne: true };
  const clipper = new GraphClipper(graph);
  if (await agree(graph, clipper, single)) {
    await single.close();
    return { clipper, oneByOne: false };
  }
  await clipper.close();
  return { clipper: single, oneByOne: true };
}

async function openStep(runtime: Runtime, model: ForwardModel, loss: Loss): Promise<TrainingStep> {
  const shapes = await measureShapes(runtime, model, 1);
  return TrainingStep.open(runtime, differentiate(model, shapes, loss));
}

/** Undefined where gradients are not known record by record. */
async function openGraph(
  runtime: Runtime,
  model: ForwardModel,
  loss: Loss,
  rows: number,
  grouped: boolean,
): Promise<ClippedStep | undefined> {
  try {
    const other = await measureShapes(runtime, model, rows + 1);
    const graph = clippedGraph(model, await measureShapes(runtime, model, rows), other, loss, grouped);
    const fitting = Math.max(2, Math.floor(WRITTEN_MAX / Math.max(1, graph.writtenOut)));
    if (fitting < rows) return await openGraph(runtime, model, loss, fitting, grouped);
    return await ClippedStep.open(runtime, graph);
  } catch (error) {
    if (error instanceof ModelError && error.code === 'model/no-record-gradients') return undefined;
    throw error;
  }
}

export function rowsOfRun(expectedUnits: number): number {
  const enough = 2 ** Math.ceil(Math.log2(Math.max(1, expectedUnits) * 1.5));
  const exact = Math.max(RUN_MIN, Math.floor(UNITS_TIMES_ROWS / Math.max(1, expectedUnits)));
  return Math.min(RUN_MAX, exact, Math.max(RUN_MIN, enough));
}

/** Relative difference of clipped sums at which the graph is not believed: rounding stays a hundred times below. */
const TOLERANCE = 1e-3;

/** Both ways over the same made-up rows and parameters. */
async function agree(step: ClippedStep, graph: UnitClipper, single: UnitClipper): Promise<boolean> {
  const { batchSize, input, targets, classes, grouped } = step.graph;
  const next = numbers();
  const rows = batchSize;
  const columns = elementCount(input.shape.slice(1));
  const perRow = elementCount(targets.shape.slice(1));
  const units = grouped
    ? [[0, rows - 1], ...Array.from({ length: rows - 2 }, (_, row) => [row + 1])]
    : Array.from({ length: rows }, (_, row) => [row]);
  for (let i = 0; i < graph.parameters.length; i++) graph.parameters[i] = 0.3 * next();
  single.parameters.set(graph.parameters);
  // Rows of numbers tell more apart; a model that looks words up takes none but whole ones, of which it has at least the first.
  for (const scale of [1, 0]) {
    const table: Table = {
      rows,
      columns,
      features: Float32Array.from({ length: rows * columns }, () => scale * next()),
      targets: Float32Array.from({ length: rows * perRow }, (_, i) => (classes === undefined ? i % 2 : i % classes)),
    };
    try {
      return (await differenceOf(graph, single, units, table)) < TOLERANCE;
    } catch {
      // Out of range with these rows: the next are tried.
    }
  }
  return false;
}

async function differenceOf(
  graph: UnitClipper,
  single: UnitClipper,
  units: readonly (readonly number[])[],
  table: Table,
): Promise<number> {
  const kept = { fill: (values: Float32Array) => values.fill(1) };
  const whole = new Float64Array(graph.parameters.length);
  await single.addInto(whole, units, table, 1e30, kept);
  // About half of the units are cut.
  const clip = Math.max(1e-6, Math.hypot(...[...whole].slice(0, 65_536)) / units.length);
  const [ours, theirs] = [new Float64Array(whole.length), new Float64Array(whole.length)];
  await graph.addInto(ours, units, table, clip, kept);
  await single.addInto(theirs, units, table, clip, kept);
  let difference = 0;
  let length = 0;
  for (let i = 0; i < ours.length; i++) {
    // i is below both lengths.
    difference += ((ours[i] as number) - (theirs[i] as number)) ** 2;
    length += (theirs[i] as number) ** 2;
  }
  return length === 0 ? Math.sqrt(difference) : Math.sqrt(difference / length);
}

/** Numbers from -1 to 1, always the same. */
function numbers(): () => number {
  const stream = new Keystream(new Uint8Array(32).fill(1));
  return () => new DataView(stream.next(4).buffer).getInt32(0, true) / 2 ** 31;
}

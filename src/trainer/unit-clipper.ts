// Sums of clipped gradients over the units of a Poisson sample: any number of them, in as many runs of a graph of fixed size as it takes.
// Nothing is left out: what does not fill a run is filled up with rows of weight zero, and a unit with more rows than a run holds is
// added up over several and cut here.

import { l2Norm } from '../vector/index.js';
import type { ClippedStep } from './clipped-step.js';
import type { MaskSource } from './dropout.js';
import { TrainerError } from './errors.js';
import type { TrainingStep } from './step.js';
import { rowReader, type AnyTable, type ReadRow } from './table.js';

/** Rows of one unit of privacy. */
export type UnitRows = readonly number[];

export interface UnitClipper {
  /** The flat vector that gradients are taken at. */
  readonly parameters: Float32Array;
  /**
   * Adds the mean gradient over the rows of each unit, cut to `clip`, to `sum`. Returns the sum of the units' mean losses, for the silo's
   * own log. Throws TrainerError `trainer/unclipped`, `trainer/runtime`.
   */
  addInto(sum: Float64Array, units: readonly UnitRows[], table: AnyTable, clip: number, masks: Masks): Promise<number>;
  close(): Promise<void>;
}

export type Masks = Pick<MaskSource, 'fill'>;

/**
 * What float32 arithmetic may be wrong by, as a part of the clip: the graph cuts that much shorter. Norms are within 2^-10 (measured:
 * 10^-6), and so are sums: each value of a sum over b rows is within b 2^-24 of the sum of sizes, so that n records in runs of b are
 * within 2 n b 2^-24 clips of what they would be without one of them, 2^-10 for n b up to 8192.
 */
export const FLOAT_ALLOWANCE = 2 ** -9;

/** Clip that cuts nothing: what is added up here and cut afterwards. */
const NO_CLIP = 1e30;

/** By the graph that clips, `batchSize` rows in each run. */
export class GraphClipper implements UnitClipper {
  readonly #step: ClippedStep;
  readonly #reader = new KeptReader();

  constructor(step: ClippedStep) {
    this.#step = step;
  }

  get parameters(): Float32Array {
    return this.#step.parameters;
  }

  async addInto(
    sum: Float64Array,
    units: readonly UnitRows[],
    table: AnyTable,
    clip: number,
    masks: Masks,
  ): Promise<number> {
    const { batchSize } = this.#step.graph;
    const inside = clip * (1 - FLOAT_ALLOWANCE);
    let losses = 0;
    let run: UnitRows[] = [];
    let rows = 0;
    const flush = async (): Promise<void> => {
      if (run.length === 0) return;
      losses += await this.#run(run, table, inside, masks);
      demandClipped(this.#step.sum, run.length * clip);
      addTo(sum, this.#step.sum, 1);
      run = [];
      rows = 0;
    };
    for (const unit of units) {
      if (unit.length > batchSize) {
        losses += await this.#addLarge(sum, unit, table, clip, masks);
        continue;
      }
      if (rows + unit.length > batchSize) await flush();
      run.push(unit);
      rows += unit.length;
    }
    await flush();
    return losses;
  }

  /** A unit that does not fit into a run: its mean gradient is added up in float64 and cut there. */
  async #addLarge(sum: Float64Array, unit: UnitRows, table: AnyTable, clip: number, masks: Masks): Promise<number> {
    const { batchSize } = this.#step.graph;
    const whole = new Float64Array(sum.length);
    let losses = 0;
    for (let from = 0; from < unit.length; from += batchSize) {
      const part = unit.slice(from, from + batchSize);
      losses += (await this.#run([part], table, NO_CLIP, masks)) * (part.length / unit.length);
      addTo(whole, this.#step.sum, part.length / unit.length);
    }
    addCut(sum, whole, clip);
    return losses;
  }

  async #run(units: readonly UnitRows[], table: AnyTable, clip: number, masks: Masks): Promise<number> {
    const { batch, graph } = this.#step;
    const rows = Uint32Array.from(units.flat());
    batch.fill(table, this.#reader.of(table), rows, 0);
    if (graph.grouped) this.#step.units.fill(0);
    let at = 0;
    for (const [unit, members] of units.entries())
      for (let k = 0; k < members.length; k++, at++) {
        batch.weights[at] = 1 / members.length;
        if (graph.grouped) this.#step.units[unit * graph.batchSize + at] = 1;
      }
    return this.#step.run(clip, masks);
  }

  async close(): Promise<void> {
    await this.#step.close();
  }
}

/** One row at a time, for models whose gradients no graph tells apart: slow, and right whatever the operators are. */
export class SingleClipper implements UnitClipper {
  readonly #step: TrainingStep;
  readonly #reader = new KeptReader();

  /** `step`: of batch size 1. */
  constructor(step: TrainingStep) {
    this.#step = step;
  }

  get parameters(): Float32Array {
    return this.#step.parameters;
  }

  async addInto(
    sum: Float64Array,
    units: readonly UnitRows[],
    table: AnyTable,
    clip: number,
    masks: Masks,
  ): Promise<number> {
    let losses = 0;
    for (const unit of units) {
      const whole = new Float64Array(sum.length);
      for (const row of unit) {
        this.#step.batch.fill(table, this.#reader.of(table), Uint32Array.of(row), 0);
        losses += (await this.#step.run(masks)) / unit.length;
        addTo(whole, this.#step.gradient, 1 / unit.length);
      }
      addCut(sum, whole, clip);
    }
    return losses;
  }

  async close(): Promise<void> {
    await this.#step.close();
  }
}

/** The reader of the table used last: every step of a training reads the same one. */
class KeptReader {
  #kept: { readonly table: AnyTable; readonly read: ReadRow } | undefined;

  of(table: AnyTable): ReadRow {
    if (this.#kept?.table !== table) this.#kept = { table, read: rowReader(table) };
    return this.#kept.read;
  }
}

function addTo(sum: Float64Array, values: Float32Array, factor: number): void {
  // i is below both lengths.
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + factor * (values[i] as number);
}

/** A gradient that is not finite counts as zero: stopping at it would tell that its record is there. */
function addCut(sum: Float64Array, gradient: Float64Array, clip: number): void {
  const norm = l2Norm(gradient);
  if (!Number.isFinite(norm)) return;
  const inside = clip * (1 - FLOAT_ALLOWANCE);
  const factor = norm > inside ? inside / norm : 1;
  // i is below both lengths.
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + factor * (gradient[i] as number);
}

/** The last look before noise: units that are each within the clip cannot add up to more. */
export function demandClipped(sum: Float32Array, bound: number): void {
  const norm = l2Norm(sum);
  // Written so that NaN fails.
  if (!(norm <= bound))
    throw new TrainerError(
      'trainer/unclipped',
      'a sum of clipped gradients is longer than its units can make it: nothing of this training may leave',
    );
}

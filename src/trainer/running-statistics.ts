// Running statistics of batch normalisation, which belong to the vector but follow the batches and not a gradient. Whatever an
// optimiser, a penalty or a control variate has done to their coordinates in a step is undone here.

import type { BatchStatistic } from '../model/index.js';

export class RunningStatistics {
  readonly #entries: readonly {
    readonly of: BatchStatistic;
    readonly batch: Float32Array;
    readonly before: Float32Array;
  }[];

  constructor(statistics: readonly BatchStatistic[]) {
    this.#entries = statistics.map((of) => ({
      of,
      batch: new Float32Array(of.slot.length),
      before: new Float32Array(of.slot.length),
    }));
  }

  /** Where the runtime writes the statistic of the batch, by the name of the graph's output. */
  get outputs(): readonly (readonly [name: string, shape: readonly number[], values: Float32Array])[] {
    return this.#entries.map(({ of, batch }) => [of.output, of.slot.shape, batch]);
  }

  /** Keeps the values that the step starts from. */
  remember(parameters: Float32Array): void {
    // A plain loop: a view per step would be garbage.
    for (const { of, before } of this.#entries)
      for (let i = 0; i < before.length; i++) before[i] = parameters[of.slot.offset + i] ?? 0;
  }

  /** Writes momentum * before + (1 - momentum) * factor * batch into `parameters`. */
  renew(parameters: Float32Array): void {
    for (const { of, batch, before } of this.#entries) {
      const { momentum, factor, slot } = of;
      for (let i = 0; i < before.length; i++)
        parameters[slot.offset + i] = momentum * (before[i] ?? 0) + (1 - momentum) * factor * (batch[i] ?? 0);
    }
  }
}

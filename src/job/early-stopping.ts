// Early stopping by the consortium: a rule over a metric of the opened sums. What it remembers is part of the model's state, so every silo
// agrees on it with the model's hash, a rollback takes it back too, and all compute the same end.

import { EARLY_STOPPING_METRICS, type EarlyStopping } from './recipe-stopping.js';
import type { Metric } from '../wire/index.js';

/** best as float64 || rounds since then as u32, both big-endian. */
export const STOPPING_BYTES = 12;

export interface StoppingMemory {
  /** Best value so far; infinitely bad before any. */
  readonly best: number;
  /** Applied rounds since then that told the metric. */
  readonly since: number;
}

/** `bytes`: empty before the first round. */
export function readStopping({ metric }: EarlyStopping, bytes: Uint8Array): StoppingMemory {
  if (bytes.length === 0) return { best: isHigherBetter(metric) ? -Infinity : Infinity, since: 0 };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { best: view.getFloat64(0), since: view.getUint32(8) };
}

export function writeStopping({ best, since }: StoppingMemory): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(STOPPING_BYTES);
  const view = new DataView(bytes.buffer);
  view.setFloat64(0, best);
  view.setUint32(8, since);
  return bytes;
}

/**
 * After a round that was applied. A round that does not tell the metric changes nothing. `endsJob`: `patience` rounds have not been
 * better than the best one by more than `minimumImprovement`.
 */
export function advanceStopping(
  rule: EarlyStopping,
  memory: StoppingMemory,
  metrics: readonly Metric[],
): { readonly memory: StoppingMemory; readonly endsJob: boolean } {
  const value = metrics.find(({ name }) => name === rule.metric)?.value;
  if (value === undefined) return { memory, endsJob: false };
  const gain = isHigherBetter(rule.metric) ? value - memory.best : memory.best - value;
  const next = gain > rule.minimumImprovement ? { best: value, since: 0 } : { ...memory, since: memory.since + 1 };
  return { memory: next, endsJob: next.since >= rule.patience };
}

function isHigherBetter(metric: string): boolean {
  return EARLY_STOPPING_METRICS.get(metric)?.better === 'higher';
}

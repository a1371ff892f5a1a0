// Opened statistics against the truth: what a restart may not change by a single unit beyond rounding.

import { roundingError } from '../../../src/job/index.js';
import { openManifest } from '../../../src/protocol/index.js';
import { dequantise, segmentNamed } from '../../../src/vector/index.js';
import type { Envelope } from '../../../src/wire/index.js';
import type { Consortium } from './consortium.js';
import { trueSums } from './records.js';

export interface Summed {
  /** The round whose sum was opened, 1 unless stated. */
  readonly round?: number;
  /** How many times the features of RANGES follow each other in the job's contract, once unless stated. */
  readonly repeated?: number;
}

/** Differences between the opened sums of a statistics job and those of its survivors' tables that rounding does not explain. */
export async function wrongSums(
  consortium: Consortium,
  envelope: Envelope,
  { round: number = 1, repeated = 1 }: Summed = {},
): Promise<string[]> {
  const { layout, message } = openManifest(consortium.founded.roster, envelope);
  const { jobId } = message;
  const { round } = await consortium.client.getRound({ jobId, round: number });
  const { survivors } = round!;
  const bytes = await gathered(consortium.client.exportSum({ jobId, round: number }));
  const values = new Int32Array(Uint8Array.from(bytes).buffer);
  const opened = (name: string): Float64Array => dequantise(segmentNamed(layout, name)!, values);
  const truth = trueSums(survivors.map((silo) => consortium.founded.tables.get(silo)!));
  const most = roundingError(message.layout!.segments.find(({ name }) => name === 'sum')!, survivors.length);
  const wrong: string[] = [];
  const compare = (name: string, expected: readonly number[], allowed: number): void => {
    expected.forEach((value, k) => {
      const got = opened(name)[k]!;
      if (!(Math.abs(got - value) <= allowed)) wrong.push(`${name}[${k}] is ${got}, the truth is ${value}`);
    });
  };
  // Wider bounds than a thousandth of a record would prove nothing.
  if (!(most < 0.001)) wrong.push(`the rounding bound is ${most}`);
  compare('rows', [truth.rows], 0);
  compare('saturated', [0], 0);
  const again = (once: readonly number[]): number[] => Array.from({ length: repeated }, () => once).flat();
  compare('sum', again(truth.sum), most);
  compare('sum-of-squares', again(truth.squares), most);
  return wrong;
}

async function gathered(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts);
}

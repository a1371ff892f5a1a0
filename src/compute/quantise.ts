// From what a silo has learned to the integers that may be masked, in one job: clipping, rounding and noise go through the whole vector
// in order, since their random bits come from streams that are read once.

import type { MaskableVector } from '../job/index.js';
import type { Lane } from './computer.js';
import type { QuantiseJob } from './jobs.js';

/** Wipes the keys. Throws what `quantise` and `maskable` throw, as CodedError `vector/…`, `job/…`. */
export async function quantiseInput(lane: Lane, job: Omit<QuantiseJob, 'out'>): Promise<MaskableVector> {
  const room = lane.room(4 * job.layout.length);
  const out = new Int32Array(room.buffer, room.byteOffset, job.layout.length);
  const key = (bytes: Uint8Array): Uint8Array => {
    const shared = lane.room(bytes.length);
    shared.set(bytes);
    bytes.fill(0);
    return shared;
  };
  const rounding = key(job.rounding);
  const noise = job.noise === undefined ? undefined : { ...job.noise, key: key(job.noise.key) };
  const segments = job.segments.map(({ name, values }) => ({ name, values: lane.share(values) }));
  try {
    await lane.run('quantise', { ...job, segments, rounding, noise, out });
  } finally {
    rounding.fill(0);
    noise?.key.fill(0);
  }
  // The job has passed it through `maskable`, whose brand does not survive the way between threads.
  return out as MaskableVector;
}

// What the coordinator may hold in memory, as docs/operations.md states it.

const MiB = 1024 ** 2;
/** The program itself with its libraries, and what a round's messages take. */
const BASE_BYTES = 350 * MiB;
/** Per silo: connection, buffers of its streams, messages of the open round. */
const SILO_BYTES = 6 * MiB;
/** The running sum takes 5; opening the sum and computing the next model hold several vectors of 4 and 8 at once, and pieces not yet collected. */
const COORDINATE_BYTES = 60;

export function memoryBound(dimension: number, silos: number): number {
  return BASE_BYTES + silos * SILO_BYTES + dimension * COORDINATE_BYTES;
}

// What the coordinator may hold in memory, as docs/operations.md states it.

const MiB = 1024 ** 2;
/** The program itself with its libraries, and what a round's messages take. */
const BASE_BYTES = 350 * MiB;
/** Per silo: connection, buffers of its streams, messages of the open round. */
const SILO_BYTES = 6 * MiB;
/** Three vectors of 5 bytes a coordinate: the running sum, the opened sum, and the model on its way. */
const COORDINATE_BYTES = 15;

export function memoryBound(dimension: number, silos: number): number {
  return BASE_BYTES + silos * SILO_BYTES + dimension * COORDINATE_BYTES;
}

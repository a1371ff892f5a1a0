// compute: vector work over threads. Which work there is (jobs.ts), where it is done (computer.ts), and how ranges pass through it in order
// (in-order.ts, growing-root.ts). The arithmetic itself is vector's, protocol's and job's.

export {
  Computer,
  HERE,
  POOLED_FROM,
  RANGE_COORDINATES,
  ringOf,
  wipeRing,
  type ComputerOptions,
  type Lane,
} from './computer.js';
export { allOf, inOrder, inPieces, lender } from './in-order.js';
export { GrowingRoot } from './growing-root.js';
export type { JobName, JobTypes, KeyRing } from './jobs.js';
export { quantiseInput } from './quantise.js';

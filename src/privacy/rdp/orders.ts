// At which orders a Rényi curve is looked at. Each order gives a valid bound, so the choice costs tightness and never correctness.

import { PRIVACY_LIMITS } from '../limits.js';

/** From just above 1, where huge losses are cheapest, to the largest whole order, where tiny ones are. */
export const ORDERS: readonly number[] = [
  ...[1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.02, 0.05].map((x) => 1 + x),
  ...range(10, (k) => 1.1 + k / 10),
  ...range(28, (k) => 2.1 + k / 4),
  ...range(62, (k) => 2 + k),
  ...doubling(),
].sort((a, b) => a - b);

function range(count: number, at: (k: number) => number): number[] {
  return Array.from({ length: count }, (_, k) => at(k));
}

/** 64, 72, 80, ... : eight steps to each power of two. */
function doubling(): number[] {
  const orders: number[] = [];
  for (let power = 64; power < PRIVACY_LIMITS.orderMax; power *= 2)
    for (let step = 0; step < 8; step++) orders.push(power + (power / 8) * step);
  return [...orders, PRIVACY_LIMITS.orderMax];
}

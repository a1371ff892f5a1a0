// From Rényi divergences to (epsilon, delta): Canonne, Kamath, Steinke (2020), proposition 12, the same as Balle et al. (2020).

import { ORDERS } from './orders.js';

/** Rényi divergence of a whole run at an order; Infinity where nothing is known. */
export type RdpCurve = (order: number) => number;

export interface RdpBound {
  readonly epsilon: number;
  /** The order that gave it. */
  readonly order: number;
}

/** Epsilon falls with the order and then rises: so many orders past the best one, larger ones are not worth their long sums. */
const WORSE_IN_A_ROW = 8;

/** The smallest epsilon that the curve proves at this delta, over a grid of orders refined around its best. */
export function epsilonOf(curve: RdpCurve, delta: number, orders: readonly number[] = ORDERS): RdpBound {
  let best: RdpBound = { epsilon: Infinity, order: Infinity };
  let at = 0;
  for (const [k, order] of orders.entries()) {
    if (best.epsilon < Infinity && k - at > WORSE_IN_A_ROW) break;
    const epsilon = epsilonAt(curve(order), order, delta);
    if (epsilon >= best.epsilon) continue;
    best = { epsilon, order };
    at = k;
  }
  const whole = orders.every((order) => Number.isInteger(order));
  const low = orders[at - 1] ?? best.order;
  const high = orders[at + 1] ?? best.order;
  return best.epsilon === 0 || best.epsilon === Infinity ? best : refined(curve, delta, best, low, high, whole);
}

/** Epsilon of a divergence at one order. */
export function epsilonAt(divergence: number, order: number, delta: number): number {
  if (Number.isNaN(divergence) || divergence === Infinity) return Infinity;
  if (provesZero(divergence, delta)) return 0;
  const epsilon = divergence + Math.log1p(-1 / order) - (Math.log(delta) + Math.log(order)) / (order - 1);
  return Math.max(0, epsilon);
}

/** Delta that the curve proves at this epsilon. */
export function deltaOf(curve: RdpCurve, epsilon: number, orders: readonly number[] = ORDERS): number {
  let best = 1;
  for (const order of orders) {
    const divergence = curve(order);
    if (!Number.isFinite(divergence)) continue;
    const log = (order - 1) * (divergence - epsilon + Math.log1p(-1 / order)) - Math.log(order);
    best = Math.min(best, Math.exp(log));
  }
  return best;
}

/**
 * Total variation is at most sqrt(1 - e^-KL) (Bretagnolle and Huber 1979), and KL at most any Rényi divergence: a delta above that is
 * met with epsilon 0.
 */
function provesZero(divergence: number, delta: number): boolean {
  return -Math.expm1(-divergence) <= delta * delta;
}

const GOLDEN = (Math.sqrt(5) - 1) / 2;
/** Whole orders only from here on: a series at a fractional one would cost more than it gains. */
const FRACTIONS_BELOW = 256;

/** Golden section between the neighbours of the best order, in the logarithm of order - 1. */
function refined(curve: RdpCurve, delta: number, start: RdpBound, low: number, high: number, whole: boolean): RdpBound {
  let best = start;
  const evaluate = (log: number): number => {
    const exact = 1 + Math.exp(log);
    const order = !whole && exact < FRACTIONS_BELOW ? exact : Math.max(2, Math.round(exact));
    const epsilon = epsilonAt(curve(order), order, delta);
    if (epsilon < best.epsilon) best = { epsilon, order };
    return epsilon;
  };
  let from = Math.log(low - 1);
  let to = Math.log(high - 1);
  for (let k = 0; k < 16 && to - from > 1e-3; k++) {
    const left = to - GOLDEN * (to - from);
    const right = from + GOLDEN * (to - from);
    if (evaluate(left) < evaluate(right)) to = right;
    else from = left;
  }
  return best;
}

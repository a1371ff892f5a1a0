// What FedAdam, FedYogi and FedAdagrad share (Reddi et al. 2021, algorithm 2): m is a running mean of the delta, v follows its square in
// three different ways, and p <- p + rate * m / (sqrt(v) + tau). No bias correction; v starts at tau^2, as the paper has it.

import { defined } from '../../base/index.js';
import { readState, writeState } from './state.js';
import type { UpdateStep } from './rule.js';

export interface AdaptiveSettings {
  readonly learningRate: number;
  /** From 0 to below 1. */
  readonly beta1: number;
  /** Above 0, usually 1e-3: how far a coordinate that hardly moves is held back. */
  readonly tau: number;
}

/** `nextSquare(v, delta^2)`: the rule's own line. */
export function adaptiveStep(
  { learningRate, beta1, tau }: AdaptiveSettings,
  nextSquare: (v: number, square: number) => number,
): UpdateStep {
  return (parameters, state, meanDelta) => {
    const [first, second] = readState(state, 2, parameters.length);
    const mean = defined(first, 'the running mean');
    const square = defined(second, 'the running squares');
    if (state.length === 0) square.fill(tau * tau);
    const next = new Float32Array(parameters.length);
    // All vectors have the length of `parameters`, so every read below is defined.
    for (let i = 0; i < next.length; i++) {
      const delta = meanDelta[i] as number;
      const m = beta1 * (mean[i] as number) + (1 - beta1) * delta;
      const v = nextSquare(square[i] as number, delta * delta);
      mean[i] = m;
      square[i] = v;
      next[i] = (parameters[i] as number) + learningRate * (m / (Math.sqrt(v) + tau));
    }
    return { parameters: next, state: writeState([mean, square]) };
  };
}

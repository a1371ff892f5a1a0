// FedAdam (Reddi et al. 2021, algorithm 2): m and v are running means of the delta and of its square, without bias correction;
// p <- p + rate * m / (sqrt(v) + tau). v starts at tau^2, as the paper has it.

import { defined } from '../../base/index.js';
import { readState, writeState } from './state.js';
import type { UpdateStep } from './rule.js';

export interface FedAdamSettings {
  readonly kind: 'fed-adam';
  readonly learningRate: number;
  /** From 0 to below 1, usually 0.9. */
  readonly beta1: number;
  /** From 0 to below 1, usually 0.99. */
  readonly beta2: number;
  /** Above 0, usually 1e-3: how far a coordinate that hardly moves is held back. */
  readonly tau: number;
}

export function fedAdam({ learningRate, beta1, beta2, tau }: FedAdamSettings): UpdateStep {
  return (parameters, state, meanDelta) => {
    const [first, second] = readState(state, 2, parameters.length);
    const mean = defined(first, 'the running mean');
    const square = defined(second, 'the running mean of squares');
    if (state.length === 0) square.fill(tau * tau);
    const next = new Float32Array(parameters.length);
    // All vectors have the length of `parameters`, so every read below is defined.
    for (let i = 0; i < next.length; i++) {
      const delta = meanDelta[i] as number;
      const m = beta1 * (mean[i] as number) + (1 - beta1) * delta;
      const v = beta2 * (square[i] as number) + (1 - beta2) * (delta * delta);
      mean[i] = m;
      square[i] = v;
      next[i] = (parameters[i] as number) + learningRate * (m / (Math.sqrt(v) + tau));
    }
    return { parameters: next, state: writeState([mean, square]) };
  };
}

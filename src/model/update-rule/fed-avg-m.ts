// FedAvgM (Hsu et al. 2019): momentum on the server side. v <- momentum * v + mean delta, p <- p + rate * v.

import { defined } from '../../base/index.js';
import { readState, writeState } from './state.js';
import type { UpdateStep } from './rule.js';

export interface FedAvgMSettings {
  readonly kind: 'fed-avg-m';
  readonly learningRate: number;
  /** From 0 to below 1, usually 0.9. */
  readonly momentum: number;
}

export function fedAvgM({ learningRate, momentum }: FedAvgMSettings): UpdateStep {
  return (parameters, state, meanDelta) => {
    const velocity = defined(readState(state, 1, parameters.length)[0], 'the velocity');
    const next = new Float32Array(parameters.length);
    // All vectors have the length of `parameters`, so every read below is defined.
    for (let i = 0; i < next.length; i++) {
      const v = momentum * (velocity[i] as number) + (meanDelta[i] as number);
      velocity[i] = v;
      next[i] = (parameters[i] as number) + learningRate * v;
    }
    return { parameters: next, state: writeState([velocity]) };
  };
}

// FedAvg (McMahan et al. 2017): p <- p + rate * mean delta. With rate 1 the next model is the mean of the silos' models. No memory.

import { readState } from './state.js';
import type { UpdateStep } from './rule.js';

export interface FedAvgSettings {
  readonly kind: 'fed-avg';
  /** Above 0, usually 1. */
  readonly learningRate: number;
}

export function fedAvg({ learningRate }: FedAvgSettings): UpdateStep {
  return (parameters, state, meanDelta) => {
    readState(state, 0, parameters.length);
    const next = new Float32Array(parameters.length);
    // Both vectors have the length of `parameters`, so every read below is defined.
    for (let i = 0; i < next.length; i++) next[i] = (parameters[i] as number) + learningRate * (meanDelta[i] as number);
    return { parameters: next, state: new Uint8Array(0) };
  };
}

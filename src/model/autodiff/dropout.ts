// Dropout: in training a value is dropped with probability `ratio` and the others grow by 1 / (1 - ratio); in prediction nothing happens
// (Srivastava et al. 2014). The mask is an input that the trainer draws from the seed of the round, so a repeated training drops the
// same values. A node whose input training_mode is absent or false does nothing in training either, as the file says.

import { ModelError } from '../errors.js';
import type { GraphNode } from '../graph/types.js';
import type { OperatorRule } from './rule.js';

/** The operator's own default. */
const RATIO = 0.5;

export const dropout: OperatorRule = {
  operator: 'Dropout',
  inputs: [1, 3],
  outputsMax: 2,
  outputsUsable: 1,
  attributes: { seed: { kind: 'int', min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER } },
  steeringInputs: [1, 2],
  predict: asIdentity,
  train: (tape, node) => {
    const x = tape.input(node, 0);
    const [ratio = RATIO] = tape.constantNumbers(node.inputs[1]) ?? [];
    const [training = 0] = tape.constantNumbers(node.inputs[2]) ?? [];
    if (!(ratio >= 0 && ratio < 1))
      throw new ModelError(
        'model/refused',
        `the ratio of Dropout is ${String(ratio)}, not from 0 to below 1 (node ${node.name})`,
      );
    if (training === 0 || ratio === 0) {
      tape.builder.copy(asIdentity(node));
      return;
    }
    const mask = tape.mask(tape.shape(x), ratio);
    tape.builder.emitNamed('Mul', [x, mask], [tape.output(node)]);
    tape.keep(node, [mask]);
  },
  backward: (tape, node, dy) => {
    const [mask] = tape.kept(node) ?? [];
    tape.accumulate(tape.input(node, 0), mask === undefined ? dy : tape.emit('Mul', [dy, mask]));
  },
};

function asIdentity(node: GraphNode): GraphNode {
  return {
    ...node,
    operator: 'Identity',
    inputs: node.inputs.slice(0, 1),
    outputs: node.outputs.slice(0, 1),
    attributes: new Map(),
  };
}

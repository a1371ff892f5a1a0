// A model that computes the same as another in a way that no graph can tell apart by record: its first weights pass through an operator
// between parameters and layer.

import { operateOn } from './onnx-surgery.js';

/** The first initialiser is multiplied by one before it is used. */
export function scaledWeights(bytes: Uint8Array): Uint8Array {
  return operateOn(bytes, (m) => {
    const [first] = m.graph.node;
    const weight = m.graph.initializer[0]!.name;
    const at = first!.input.indexOf(weight);
    first!.input[at] = 'scaled';
    m.graph.node.unshift({
      ...first!,
      name: 'negative',
      opType: 'Neg',
      input: [weight],
      output: ['minus'],
      attribute: [],
    });
    m.graph.node.splice(1, 0, {
      ...first!,
      name: 'back',
      opType: 'Neg',
      input: ['minus'],
      output: ['scaled'],
      attribute: [],
    });
  });
}

// Tables hold float32, so a model that takes whole numbers, such as the indices of an embedding, gets a Cast in front. Whole numbers
// up to 2^24 pass through float32 unchanged.

import { int } from '../graph/attribute.js';
import { RESERVED_PREFIX } from '../graph/builder.js';
import { DATA_TYPE, type Graph } from '../graph/types.js';

const CAST = `${RESERVED_PREFIX}integer_input`;

/** The graph with a float32 input of the same name; unchanged when it has one. */
export function withFloatInput(graph: Graph): Graph {
  const [input] = graph.inputs;
  if (input?.type !== 'int64') return graph;
  const cast = {
    name: CAST,
    operator: 'Cast',
    inputs: [input.name],
    outputs: [CAST],
    attributes: new Map([['to', int(DATA_TYPE.int64)]]),
  };
  const nodes = graph.nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map((name) => (name === input.name ? CAST : name)),
  }));
  return { ...graph, inputs: [{ ...input, type: 'float32' }], nodes: [cast, ...nodes] };
}

// Which values of a graph are the same for all records at a fixed batch size: constants, shapes, and whatever is computed from them.
// Exporters compute shapes inside the graph; the probe measures these values once, and they then stand in the graph as constants.

import { RULES } from '../autodiff/rules.js';
import type { Graph } from '../graph/types.js';

/** Operators whose output depends on the shape of their input only. */
const OF_SHAPE: ReadonlySet<string> = new Set(['Shape', 'Size']);

/** `parameters`: the names in the vector, whose values change from round to round. Initialisers outside of it are static. */
export function staticValues(graph: Graph, parameters: ReadonlySet<string>): ReadonlySet<string> {
  const found = new Set<string>();
  for (const name of graph.initialisers.keys()) if (!parameters.has(name)) found.add(name);
  for (const node of graph.nodes) {
    const follows = node.inputs.every((name) => name === '' || found.has(name));
    // Training draws a mask there, whatever goes in.
    const random = RULES.get(node.operator)?.train !== undefined;
    if (OF_SHAPE.has(node.operator) || (follows && !random))
      for (const output of node.outputs) if (output !== '') found.add(output);
  }
  return found;
}

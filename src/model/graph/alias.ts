// Exporters write a weight that two layers share as one initialiser and an Identity of it. Resolving the Identity makes both layers
// use the initialiser itself, so that it is one parameter.

import type { Graph } from './types.js';

export function resolveAliases(graph: Graph): Graph {
  const kept = new Set(graph.outputs.map((output) => output.name));
  const alias = new Map<string, string>();
  const nodes = [];
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => alias.get(name) ?? name);
    const [source, output] = [inputs[0], node.outputs[0]];
    const shares = node.operator === 'Identity' && source !== undefined && graph.initialisers.has(source);
    if (shares && output !== undefined && !kept.has(output)) alias.set(output, source);
    else nodes.push({ ...node, inputs });
  }
  return { ...graph, nodes };
}

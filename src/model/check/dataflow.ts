// Names: every value is defined once and before it is used, and none takes a name that belongs to Veilsum.

import { RULES } from '../autodiff/rules.js';
import type { Problems } from '../errors.js';
import { RESERVED_PREFIX } from '../graph/builder.js';
import type { Graph } from '../graph/types.js';
import { isStandardisationName } from '../standardise/names.js';

export function checkDataflow(graph: Graph, problems: Problems): void {
  const defined = new Set<string>();
  const define = (name: string, place: string): void => {
    if (defined.has(name)) problems.add(place, `the value ${name} is defined twice`);
    if (name.startsWith(RESERVED_PREFIX) && !isStandardisationName(name))
      problems.add(place, `the name ${name} is reserved`);
    defined.add(name);
  };
  for (const input of graph.inputs) define(input.name, 'model input');
  for (const name of graph.initialisers.keys()) define(name, `initialiser ${name}`);
  for (const node of graph.nodes) {
    const place = `node ${node.name}`;
    for (const name of node.inputs)
      if (name !== '' && !defined.has(name)) problems.add(place, `the input ${name} is defined nowhere before`);
    const usable = RULES.get(node.operator)?.outputsUsable ?? Infinity;
    for (const [at, output] of node.outputs.entries()) if (output !== '' && at < usable) define(output, place);
  }
  for (const output of graph.outputs)
    if (!defined.has(output.name)) problems.add('model output', `the output ${output.name} is computed nowhere`);
}

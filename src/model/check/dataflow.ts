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
  const constants = new Set(graph.initialisers.keys());
  for (const node of graph.nodes) {
    const place = `node ${node.name}`;
    const steering = RULES.get(node.operator)?.steeringInputs ?? [];
    for (const [at, name] of node.inputs.entries()) {
      if (name === '') continue;
      if (!defined.has(name)) problems.add(place, `the input ${name} is defined nowhere before`);
      else if (steering.includes(at) && !constants.has(name))
        problems.add(
          place,
          `input ${String(at)} of ${node.operator} must be a constant of the model, not a computed value`,
        );
    }
    for (const output of node.outputs) {
      if (output === '') continue;
      define(output, place);
      if (node.operator === 'Constant') constants.add(output);
    }
  }
  for (const output of graph.outputs)
    if (!defined.has(output.name)) problems.add('model output', `the output ${output.name} is computed nowhere`);
}

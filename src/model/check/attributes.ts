// The bounds of what a node may say: number of inputs and outputs, names, kinds and ranges of attributes.

import type { AttributeBound, OperatorRule } from '../autodiff/rule.js';
import type { Problems } from '../errors.js';
import type { Attribute, GraphNode } from '../graph/types.js';

export function checkNode(node: GraphNode, rule: OperatorRule, opset: number, problems: Problems): void {
  const place = `node ${node.name}`;
  const [least, most] = rule.inputs;
  if (node.inputs.length < least || node.inputs.length > most)
    problems.add(
      place,
      `${node.operator} takes ${String(least)} to ${String(most)} inputs, not ${String(node.inputs.length)}`,
    );
  const outputsMax = rule.outputsMax ?? 1;
  if (node.outputs.length < 1 || node.outputs.length > outputsMax || node.outputs.every((output) => output === ''))
    problems.add(place, `${node.operator} must have ${outputsMax === 1 ? 'one named output' : 'named outputs'}`);
  if (rule.since !== undefined && opset < rule.since)
    problems.add(place, `${node.operator} exists from operator set ${String(rule.since)} on`);
  for (const [name, attribute] of node.attributes) {
    const bound = rule.attributes[name];
    const wrong = bound === undefined ? 'is not known' : outOfBounds(attribute, bound);
    if (wrong !== undefined) problems.add(place, `attribute ${name} of ${node.operator} ${wrong}`);
  }
  const refusal = rule.refusal?.(node);
  if (refusal !== undefined) problems.add(place, refusal);
  if (node.operator === 'Constant' && node.attributes.size !== 1)
    problems.add(place, 'a Constant must hold exactly one value');
}

/** What is wrong with an attribute, or undefined. */
function outOfBounds(attribute: Attribute, bound: AttributeBound): string | undefined {
  if (bound.kind === 'text')
    return attribute.kind === 'string' && attribute.value.length <= bound.max
      ? undefined
      : `is no text of at most ${String(bound.max)} characters`;
  if (attribute.kind !== bound.kind) return `is of kind ${attribute.kind} where ${bound.kind} is expected`;
  switch (bound.kind) {
    case 'int':
    case 'float':
    case 'ints':
    case 'floats': {
      const { min, max } = { min: -Infinity, max: Infinity, ...bound };
      // The kinds were compared above: a number or a list of numbers.
      const values = [attribute.value].flat() as readonly number[];
      const fits = values.every((value) => Number.isFinite(value) && value >= min && value <= max);
      return fits ? undefined : `is outside ${String(min)} to ${String(max)}`;
    }
    case 'string':
      return attribute.kind === 'string' && bound.oneOf.includes(attribute.value)
        ? undefined
        : `is none of ${bound.oneOf.join(', ')}`;
    case 'strings': {
      const fits = attribute.kind === 'strings' && attribute.value.every((value) => bound.oneOf.includes(value));
      return fits ? undefined : `has a value that is none of ${bound.oneOf.join(', ')}`;
    }
    case 'tensor':
      return undefined;
  }
}

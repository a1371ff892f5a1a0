// What a model's vector consists of: which initialisers are trained, which are running statistics, which stay as they are.

import { takesGradient } from './autodiff/rule.js';
import { RULES } from './autodiff/rules.js';
import { staticValues } from './check/static.js';
import type { Problems } from './errors.js';
import { elementCount, type Graph } from './graph/types.js';
import { matches } from './pattern.js';
import type { ParameterSlot } from './slot.js';
import { isStandardisationName } from './standardise/names.js';

export interface Parameters {
  readonly slots: readonly ParameterSlot[];
  /** Initialisers that could be in the vector and are not named by `train`; they keep the values of the file. */
  readonly frozen: readonly string[];
}

/** `train`: names or patterns with `*`; undefined takes everything trainable, less what `local` names. */
export function findParameters(
  graph: Graph,
  train: readonly string[] | undefined,
  local: readonly string[],
  problems: Problems,
): Parameters {
  const { weights, statistics } = trainableNames(graph);
  const found: Omit<ParameterSlot, 'offset'>[] = [];
  const frozen: string[] = [];
  for (const [name, tensor] of graph.initialisers) {
    const isStatistic = statistics.has(name);
    if (!(weights.has(name) || isStatistic) || tensor.shape.length === 0 || isStandardisationName(name)) continue;
    if (tensor.type === 'float64') problems.add(`initialiser ${name}`, 'is float64; export the model in float32');
    if (tensor.type !== 'float32') continue;
    const length = elementCount(tensor.shape);
    if (length === 0) continue;
    if (train?.every((pattern) => !matches(pattern, name)) === true) {
      frozen.push(name);
      continue;
    }
    found.push({ name, shape: tensor.shape, length, ...(isStatistic ? { statistic: true as const } : {}) });
  }
  const isLocal = ({ name }: { readonly name: string }): boolean => local.some((pattern) => matches(pattern, name));
  for (const pattern of local)
    if (!found.some(({ name }) => matches(pattern, name)))
      problems.add('local', `${pattern} is the name of no parameter that is trained`);
  const slots = inOrder(found.filter((slot) => !isLocal(slot)));
  frozen.push(...found.filter(isLocal).map(({ name }) => name));
  for (const pattern of train ?? [])
    if (!found.some(({ name }) => matches(pattern, name)))
      problems.add('train', `${pattern} is the name of no trainable parameter`);
  checkSteering(graph, new Set(slots.map(({ name }) => name)), problems);
  return { slots, frozen };
}

/** Weights in the order of the file, then running statistics: a sum treats the two parts of the vector differently. */
function inOrder(found: readonly Omit<ParameterSlot, 'offset'>[]): ParameterSlot[] {
  let offset = 0;
  return [...found.filter((slot) => slot.statistic !== true), ...found.filter((slot) => slot.statistic === true)].map(
    (slot) => {
      offset += slot.length;
      return { ...slot, offset: offset - slot.length };
    },
  );
}

/** Values that a gradient reaches on its way from the model's output, and the running statistics of nodes on that way. */
function trainableNames(graph: Graph): {
  readonly weights: ReadonlySet<string>;
  readonly statistics: ReadonlySet<string>;
} {
  const weights = new Set(graph.outputs.map((output) => output.name));
  const statistics = new Set<string>();
  for (const node of [...graph.nodes].reverse()) {
    const rule = RULES.get(node.operator);
    if (rule === undefined || !node.outputs.some((output) => weights.has(output))) continue;
    for (const [at, name] of node.inputs.entries()) if (takesGradient(rule, node, at)) weights.add(name);
    for (const at of rule.statisticInputs?.(node) ?? []) statistics.add(node.inputs[at] ?? '');
  }
  return { weights, statistics };
}

/** Steering inputs must be known when the graph is built: neither records nor parameters may reach them. */
function checkSteering(graph: Graph, parameters: ReadonlySet<string>, problems: Problems): void {
  const known = staticValues(graph, parameters);
  for (const node of graph.nodes)
    for (const at of RULES.get(node.operator)?.steeringInputs ?? []) {
      const name = node.inputs[at] ?? '';
      if (name === '' || known.has(name)) continue;
      if (parameters.has(name))
        problems.add(`initialiser ${name}`, 'serves as a parameter and as a setting of an operator');
      else
        problems.add(
          `node ${node.name}`,
          `input ${String(at)} of ${node.operator} must be a constant of the model, not a value computed from records or parameters`,
        );
    }
}

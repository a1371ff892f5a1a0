// The backward walk itself: nodes in reverse order, each handing its output's gradient on to its inputs.

import { defined } from '../../base/index.js';
import { ModelError, Problems } from '../errors.js';
import type { Graph } from '../graph/types.js';
import { passThrough } from '../records/through.js';
import { takesGradient } from './rule.js';
import { RULES } from './rules.js';
import type { Tape } from './tape.js';

/** The values of `graph` that depend on one of `roots` by way of differentiable inputs, the roots included. */
export function dependents(graph: Graph, roots: Iterable<string>): Set<string> {
  const found = new Set(roots);
  for (const node of graph.nodes) {
    const rule = RULES.get(node.operator);
    if (rule?.backward === undefined) continue;
    const reached = node.inputs.some((value, at) => found.has(value) && takesGradient(rule, node, at));
    if (reached) for (const output of node.outputs) if (output !== '') found.add(output);
  }
  return found;
}

/**
 * Walks from the gradients already on the tape to the graph's sources. The graph has passed the check. Throws `model/refused` with every
 * node whose shapes its rule cannot take.
 */
export function walkBackward(tape: Tape, graph: Graph): void {
  const refusals: ModelError[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (tape.records !== undefined && node.outputs.some((output) => tape.wants(output) && tape.keepsRecords(output))) {
      passThrough(tape, tape.records, node);
      continue;
    }
    if (node.outputs.every((output) => tape.gradientOf(output) === undefined)) continue;
    const rule = defined(RULES.get(node.operator), `rule for ${node.operator}`);
    if (rule.backward === undefined) continue;
    const first = tape.output(node);
    const dy = tape.gradientOf(first) ?? (first === '' ? '' : tape.zeros(tape.shape(first)));
    try {
      rule.backward(tape, node, dy);
    } catch (error) {
      if (!(error instanceof ModelError) || error.code !== 'model/refused') throw error;
      refusals.push(error);
    }
  }
  const [only, ...others] = refusals;
  if (only !== undefined && others.length === 0) throw only;
  const problems = new Problems();
  for (const { message } of refusals) problems.add('model', message);
  problems.throwIfAny();
}

// LinearRegressor and LinearClassifier: scores = x W^T + b. A classifier hands out labels first, which are left out, then scores.

import { int, numberOf, textOf, textsOf } from '../graph/attribute.js';
import { float32 } from '../graph/tensor.js';
import type { GraphNode } from '../graph/types.js';
import type { Rewriting } from './rewriting.js';

const RAW = "export with options={id(model): {'zipmap': False, 'raw_scores': True}}";

export function linearRegressor(rewriting: Rewriting): void {
  const { node, refuse } = rewriting;
  const after = textOf(node, 'post_transform', 'NONE');
  if (after !== 'NONE') refuse(`LinearRegressor with post_transform ${after}, only NONE is trained`);
  product(rewriting, numberOf(node, 'targets', 1), node.outputs[0] ?? '');
}

export function linearClassifier(rewriting: Rewriting): void {
  const { node, refuse } = rewriting;
  const after = textOf(node, 'post_transform', 'NONE');
  if (after !== 'NONE')
    refuse(`LinearClassifier with post_transform ${after} gives probabilities, training needs scores; ${RAW}`);
  const ints = node.attributes.get('classlabels_ints');
  const labels = textsOf(node, 'classlabels_strings') ?? (ints?.kind === 'ints' ? ints.value : []);
  const classes = floatsOf(node, 'intercepts').length || labels.length;
  if (classes < 2 || classes !== labels.length) {
    refuse(`LinearClassifier with ${String(classes)} rows of coefficients for ${String(labels.length)} labels; ${RAW}`);
    return;
  }
  product(rewriting, classes, node.outputs[1] ?? '');
}

/** Emits scores [rows, `outputs`] of the name `score`. */
function product({ node, refuse, emit, initialiser }: Rewriting, outputs: number, score: string): void {
  const coefficients = floatsOf(node, 'coefficients');
  const intercepts = floatsOf(node, 'intercepts');
  const columns = coefficients.length / outputs;
  if (!(outputs >= 1) || !Number.isInteger(columns) || columns === 0) {
    refuse(`${String(coefficients.length)} coefficients do not divide into ${String(outputs)} rows`);
    return;
  }
  if (intercepts.length > 0 && intercepts.length !== outputs) {
    refuse(`${String(intercepts.length)} intercepts for ${String(outputs)} outputs`);
    return;
  }
  const weight = initialiser('coefficients', float32([outputs, columns], coefficients));
  const bias = intercepts.length === 0 ? [] : [initialiser('intercepts', float32([outputs], intercepts))];
  emit('Gemm', [node.inputs[0] ?? '', weight, ...bias], { transB: int(1) }, score === '' ? undefined : score);
}

function floatsOf(node: GraphNode, name: string): readonly number[] {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'floats' ? attribute.value : [];
}

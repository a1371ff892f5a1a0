// scikit-learn's linear operators (domain ai.onnx.ml), as skl2onnx writes them, in terms of standard operators. Coefficients and
// intercepts become initialisers, which train; the offset and scale of a Scaler become constants, which do not.

import type { Problems } from '../errors.js';
import type { GraphProto, ModelProto, NodeProto, TensorProto } from '../gen/onnx/onnx.js';
import { readNode } from '../graph/read.js';
import { writeTensor } from '../graph/tensor.js';
import { writeNode } from '../graph/write.js';
import { linearClassifier, linearRegressor } from './linear.js';
import { FreshNames } from './names.js';
import type { Rewriting } from './rewriting.js';
import { normalizer, scaler } from './scaling.js';

export const ML_DOMAIN = 'ai.onnx.ml';

const REWRITINGS: ReadonlyMap<string, (rewriting: Rewriting) => void> = new Map([
  ['LinearClassifier', linearClassifier],
  ['LinearRegressor', linearRegressor],
  ['Scaler', scaler],
  ['Normalizer', normalizer],
]);

const REMEDIES: ReadonlyMap<string, string> = new Map([
  [
    'ZipMap',
    " makes a list of maps, not a tensor; export with options={id(model): {'zipmap': False, 'raw_scores': True}}",
  ],
]);

/** The graph without ai.onnx.ml. A classifier's labels, and what is computed from them, are left out: training needs the scores. */
export function rewriteLinearOperators(
  model: ModelProto & { readonly graph: GraphProto },
  problems: Problems,
): GraphProto {
  const { graph } = model;
  const standard = model.opsetImport.find(({ domain }) => domain === '' || domain === 'ai.onnx');
  const opset = Number(standard?.version ?? 0n);
  const fresh = new FreshNames(graph);
  const labels = new Set<string>();
  const nodes: NodeProto[] = [];
  const initialisers: TensorProto[] = [];
  for (const [position, proto] of graph.node.entries()) {
    if (proto.input.some((name) => name !== '' && labels.has(name))) {
      for (const name of proto.output) labels.add(name);
      continue;
    }
    if (proto.domain !== ML_DOMAIN) {
      nodes.push(proto);
      continue;
    }
    const node = readNode({ ...proto, domain: '' }, position, problems);
    const rewrite = REWRITINGS.get(node.operator);
    if (rewrite === undefined) {
      const why = REMEDIES.get(node.operator) ?? `: no gradient for this operator of ${ML_DOMAIN}`;
      problems.add(`node ${node.name}`, `${node.operator}${why}`);
      continue;
    }
    const scope = proto.name === '' ? node.operator : proto.name;
    if (node.operator === 'LinearClassifier') labels.add(node.outputs[0] ?? '');
    rewrite({
      node,
      opset,
      refuse: (what) => {
        problems.add(`node ${node.name}`, what);
      },
      emit: (operator, inputs, attributes = {}, output = fresh.within(scope, operator)) => {
        const name = fresh.within(scope, operator);
        nodes.push(
          writeNode({ name, operator, inputs, outputs: [output], attributes: new Map(Object.entries(attributes)) }),
        );
        return output;
      },
      initialiser: (name, tensor) => {
        const free = fresh.within(scope, name);
        initialisers.push(writeTensor(free, tensor));
        return free;
      },
    });
  }
  return {
    ...graph,
    node: nodes,
    initializer: [...graph.initializer, ...initialisers],
    output: graph.output.filter(({ name }) => !labels.has(name)),
  };
}

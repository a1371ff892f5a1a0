// A model as it predicts, in contrast to how it trains: dropout off, batch normalisation by running statistics.

import { RULES } from './autodiff/rules.js';
import type { NodeProto } from './gen/onnx/onnx.js';
import type { Graph } from './graph/types.js';
import { readNode } from './graph/read.js';
import { writeNode } from './graph/write.js';
import { Problems } from './errors.js';

export function predictionGraph(graph: Graph): Graph {
  const nodes = graph.nodes.map((node) => RULES.get(node.operator)?.predict?.(node) ?? node);
  return { ...graph, nodes };
}

/** The same for one node of a checked file; nodes that predict as they train stay byte for byte. */
export function predicting(proto: NodeProto, position: number): NodeProto {
  const predict = RULES.get(proto.opType)?.predict;
  if (predict === undefined) return proto;
  const node = readNode(proto, position, new Problems());
  const other = predict(node);
  return other === node ? proto : { ...writeNode(other), name: proto.name, docString: proto.docString };
}

// What an exporter may write and the rest of the room need not know: functions of the file's own, scikit-learn's operators. Both are
// turned into standard operators when the file is read. The result is checked like any other file, and it is what is published.

import type { Problems } from '../errors.js';
import type { GraphProto, ModelProto } from '../gen/onnx/onnx.js';
import { inlineFunctions } from './functions.js';
import { ML_DOMAIN, rewriteLinearOperators } from './machine-learning.js';

type Source = ModelProto & { readonly graph: GraphProto };

/** Unchanged, the same object, when the file has neither. Throws `model/too-large` when its functions unfold without end. */
export function importModel(source: Source, problems: Problems): Source {
  const inlined = source.functions.length === 0 ? source : inlineFunctions(source, problems);
  const uses = inlined.graph.node.some((node) => node.domain === ML_DOMAIN);
  const imports = inlined.opsetImport.some(({ domain }) => domain === ML_DOMAIN);
  if (!uses && !imports) return inlined;
  const opsetImport = inlined.opsetImport.filter(({ domain }) => domain !== ML_DOMAIN);
  return { ...inlined, opsetImport, graph: rewriteLinearOperators({ ...inlined, opsetImport }, problems) };
}

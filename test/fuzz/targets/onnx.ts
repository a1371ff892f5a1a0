// Model files, which come from outside and are read by every silo: bytes and structure of small models are changed; the importer
// refuses with a ModelError or gives a model whose other readers agree with it.

import { readFileSync } from 'node:fs';
import { concat, LIMITS } from '../../../src/base/index.js';
import { ModelProto } from '../../../src/model/gen/onnx/onnx.js';
import {
  elementCount,
  initialParameters,
  ModelError,
  parametersIn,
  probeGraph,
  readForwardModel,
  withParameters,
  withStandardisation,
} from '../../../src/model/index.js';
import { logisticRegression, multiLayerPerceptron, smallConvolution } from '../../support/onnx-models.js';
import { mutateBytes, repeated } from '../bytes.js';
import { mutateMessage, Pool } from '../message.js';
import type { Random } from '../random.js';
import { attempted, never, Violation, type Target } from '../target.js';

const BATCH = 4;

function models(): Uint8Array[] {
  return [
    logisticRegression(3, 1, 7),
    multiLayerPerceptron([4, 3, 2], 5),
    smallConvolution(3),
    withStandardisation(logisticRegression(2), { mean: Float64Array.of(1, 2), std: Float64Array.of(3, 0) }),
    readFileSync('examples/models/heart-logreg.onnx'),
    readFileSync('examples/models/wdbc-mlp.onnx'),
  ].map((bytes) => new Uint8Array(bytes));
}

export function onnxTarget(read: typeof readForwardModel = readForwardModel): Target {
  const files = models();
  const pool = new Pool();
  for (const file of files) pool.learn(ModelProto.decode(file));
  return {
    name: 'onnx',
    generate: (random) => {
      const file = random.pick(files);
      if (random.once(3)) return mutateBytes(random, file, random.pick(files));
      try {
        return changed(random, file);
      } catch {
        // A value that no encoder writes: bytes, then.
        return mutateBytes(random, file);
      }
    },
    execute: (input) => readOne(read, input),
    memoryMax: 32 * 1024 * 1024,
  };

  function changed(random: Random, file: Uint8Array): Uint8Array {
    const model = ModelProto.decode(file.slice());
    const grown = random.once(12) && model.graph !== undefined ? manyNodes(random, model) : model;
    const out = ModelProto.encode(mutateMessage(random, grown, pool)).finish();
    if (!random.once(30)) return out;
    // Graphs in attributes of nodes in graphs: deeper than any reader's stack should go.
    return concat(out, repeated(Uint8Array.of(0x3a, 0xff, 0x7f, 0x0a, 0x7f, 0x2a, 0x7f, 0x32), random.size(200)));
  }
}

function manyNodes(random: Random, model: ModelProto): ModelProto {
  const graph = model.graph!;
  const times = 1 + random.size(300);
  return { ...model, graph: { ...graph, node: Array.from({ length: times }, () => graph.node).flat() } };
}

/** One file through every door of the importer. */
export function readOne(read: typeof readForwardModel, input: Uint8Array): string {
  let model: ReturnType<typeof readForwardModel> | undefined;
  const code = attempted(() => {
    try {
      model = read(input.slice());
    } catch (error) {
      if (error instanceof ModelError) throw error;
      throw new Violation(`a model file made the importer throw ${String(error)}`);
    }
  });
  if (model === undefined) return code;
  const row = elementCount(model.input.rowShape);
  never(!(row >= 1 && row <= LIMITS.modelRowMax), `a row of the model has ${row} values`);
  never(model.parameterCount > input.length, `${input.length} bytes hold ${model.parameterCount} parameters`);
  return attempted(() => {
    const parsed = model!;
    const parameters = initialParameters(parsed);
    const written = withParameters(parsed, parameters);
    const weights = parsed.parameters.filter((slot) => slot.statistic !== true);
    // Running statistics are constants of a model that only predicts.
    const expected = weights.reduce((sum, { length }) => sum + length, 0);
    never(read(written).parameterCount !== expected, 'the model has other parameters once it is written');
    never(
      !parametersIn(parsed, written).every((value, k) => Object.is(value, parameters[k])),
      'parameters change by writing',
    );
    never(probeGraph(parsed, BATCH).feed.shape[0] !== BATCH, 'the probe takes another batch');
    if (parsed.standardised || parsed.input.rowShape.length !== 1) return;
    const [columns] = parsed.input.rowShape as [number];
    const numbers = { mean: new Float64Array(columns), std: new Float64Array(columns).fill(2) };
    never(
      !read(withStandardisation(input.slice(), numbers)).standardised,
      'a standardised model is none when it is read',
    );
  });
}

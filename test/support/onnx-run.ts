// Runs graphs in ONNX Runtime inside the test process: one thread, no log.

import * as ort from 'onnxruntime-node';
import {
  differentiate,
  evaluationGraph,
  measured,
  probeGraph,
  STEP_NAMES,
  type ForwardModel,
  type Loss,
  type Measured,
  type Shapes,
  type StepGraph,
} from '../../src/model/index.js';

const OPTIONS = { logSeverityLevel: 4, intraOpNumThreads: 1, interOpNumThreads: 1 } as const;

export type Feeds = Readonly<Record<string, ort.Tensor>>;

export function tensor(data: ArrayLike<number>, shape: readonly number[]): ort.Tensor {
  return new ort.Tensor('float32', Float32Array.from(data), shape);
}

export function labels(data: readonly number[]): ort.Tensor {
  return new ort.Tensor('int64', BigInt64Array.from(data, BigInt), [data.length]);
}

/** A session that is called like a function; `close` frees it. */
export async function openSession(bytes: Uint8Array) {
  const session = await ort.InferenceSession.create(bytes, OPTIONS);
  return {
    run: async (feeds: Feeds): Promise<Record<string, Float32Array>> => {
      const results = await session.run(feeds);
      return Object.fromEntries(Object.entries(results).map(([name, result]) => [name, result.data as Float32Array]));
    },
    close: () => session.release(),
  };
}

export async function runOnce(bytes: Uint8Array, feeds: Feeds): Promise<Record<string, Float32Array>> {
  const session = await openSession(bytes);
  try {
    return await session.run(feeds);
  } finally {
    await session.close();
  }
}

export async function measureShapes(model: ForwardModel, batchSize: number): Promise<Shapes> {
  const probe = probeGraph(model, batchSize);
  const session = await ort.InferenceSession.create(probe.bytes, { ...OPTIONS, graphOptimizationLevel: 'disabled' });
  const length = probe.feed.shape.reduce((a, b) => a * b, 1);
  const results = await session.run({ [probe.feed.name]: tensor(new Float32Array(length), probe.feed.shape) });
  const shapes = new Map<string, Measured>(probe.known);
  for (const name of probe.outputs) shapes.set(name, measured(probe, name, results[name]!));
  await session.release();
  return shapes;
}

export async function stepGraphs(model: ForwardModel, batchSize: number, loss: Loss) {
  const shapes = await measureShapes(model, batchSize);
  return { training: differentiate(model, shapes, loss), evaluation: evaluationGraph(model, shapes, loss) };
}

/** Parameter tensors of a flat vector under their names; they share its memory. */
export function parameterFeeds(graph: StepGraph, flat: Float32Array): Feeds {
  return Object.fromEntries(
    graph.parameters.map(({ name, shape, offset, length }) => [
      name,
      new ort.Tensor('float32', flat.subarray(offset, offset + length), shape),
    ]),
  );
}

export { STEP_NAMES };

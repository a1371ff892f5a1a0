// ONNX Runtime, loaded when first needed (36 ms, 60 MB) and only inside a worker thread or a test. One thread per session and fixed
// options: the same inputs give the same bits in every run.

import type * as onnxruntime from 'onnxruntime-node';
import type { InferenceSession } from 'onnxruntime-node';
import { elementCount, measured, probeGraph, type ForwardModel, type Measured, type Shapes } from '../model/index.js';
import { TrainerError } from './errors.js';

export type Runtime = typeof onnxruntime;

export async function loadRuntime(): Promise<Runtime> {
  return import('onnxruntime-node');
}

const OPTIONS: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  // Errors arrive as exceptions; the library's own log would go to the program's standard error.
  logSeverityLevel: 4,
};

/** Throws `trainer/runtime`; at this point the library has seen the graph but no record, so its message may be passed on. */
export async function openSession(
  runtime: Runtime,
  bytes: Uint8Array,
  options: InferenceSession.SessionOptions = {},
): Promise<InferenceSession> {
  try {
    return await runtime.InferenceSession.create(bytes, { ...OPTIONS, ...options });
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new TrainerError('trainer/runtime', `the graph was refused: ${message}`, { cause });
  }
}

/** Runs the probe on zeros and returns the type and shape of every value at this batch size. */
export async function measureShapes(runtime: Runtime, model: ForwardModel, batchSize: number): Promise<Shapes> {
  const probe = probeGraph(model, batchSize);
  const session = await openSession(runtime, probe.bytes, { graphOptimizationLevel: 'disabled' });
  try {
    const { name, shape } = probe.feed;
    const zeros = new runtime.Tensor('float32', new Float32Array(elementCount(shape)), shape);
    const results = await session.run({ [name]: zeros });
    const shapes = new Map<string, Measured>(probe.known);
    for (const [output, value] of Object.entries(results)) shapes.set(output, measured(probe, output, value));
    return shapes;
  } catch (cause) {
    // The feed was zeros, so the message holds no record.
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new TrainerError('trainer/runtime', `the forward model does not run: ${message}`, { cause });
  } finally {
    await session.release();
  }
}

// The trainer's thread: compiled by tsc and started by trainer.ts. ONNX Runtime blocks the thread it runs in, so it runs here.

import { parentPort, workerData } from 'node:worker_threads';
import { defined } from '../base/index.js';
import { elementCount } from '../model/index.js';
import { Engine } from './engine.js';
import { toFailure } from './failure.js';
import type { Progress } from './local-training.js';
import type { Answer, Command, WorkerInput } from './messages.js';

const port = defined(parentPort ?? undefined, 'the port of a worker thread');

function answer(message: Answer): void {
  port.postMessage(message);
}

async function perform(engine: Engine, { id, stop, work }: Command): Promise<void> {
  const aborted = (): boolean => Atomics.load(stop, 0) !== 0;
  const progress = (report: Progress): void => {
    answer({ kind: 'progress', id, progress: report });
  };
  try {
    switch (work.kind) {
      case 'prepare':
        await engine.prepare(work.batchSize);
        answer({ kind: 'done', id, result: undefined });
        break;
      case 'train':
        answer({ kind: 'done', id, result: await engine.train(work.request, { aborted, progress }) });
        break;
      case 'evaluate':
        answer({ kind: 'done', id, result: await engine.evaluate(work.request, aborted) });
        break;
      case 'close':
        await engine.close();
        answer({ kind: 'done', id, result: undefined });
        port.close();
        break;
    }
  } catch (error) {
    answer({ kind: 'failed', id, failure: toFailure(error) });
  }
}

async function start(): Promise<void> {
  // trainer.ts starts this file with exactly this.
  const { model: bytes, loss, train } = workerData as WorkerInput;
  const engine = await Engine.open(bytes, loss, train);
  // The buffers of a step are shared by all requests, so the next one waits for the one before.
  let queue = Promise.resolve();
  port.on('message', (command: Command) => {
    queue = queue.then(() => perform(engine, command));
  });
  const { parameters, parameterCount, standardised, input } = engine.model;
  answer({
    kind: 'ready',
    summary: { parameters, parameterCount, standardised, columns: elementCount(input.rowShape) },
  });
}

start().catch((error: unknown) => {
  answer({ kind: 'refused', failure: toFailure(error) });
  port.close();
});

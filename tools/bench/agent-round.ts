// What a round of an agent costs beside its steps: reading and checking the records, the split, measuring the hold-out part, the vector in
// fixed point. By the functions that the agent calls, on images and a convolutional network; masks are in the stages of a round.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { learn } from '../../silo-agent/learn.js';
import { Keystream } from '../../src/crypto/index.js';
import { readDataSet, splitHoldout } from '../../src/dataset/index.js';
import { decodeModelState, parseJob } from '../../src/job/index.js';
import { defaultLoss } from '../../src/model/index.js';
import { readLayout } from '../../src/protocol/index.js';
import { createTrainer } from '../../src/trainer/index.js';
import { quantise } from '../../src/vector/index.js';
import { manifestOf, prepareModel } from '../results/experiment.js';
import { convolutionalNetwork, SIDE } from '../results/pneumonia-model.js';
import { seedBytes } from '../results/random.js';

export interface AgentRoundFigures {
  readonly records: number;
  readonly steps: number;
  /** Milliseconds of the steps alone, of the model on the hold-out part, and of the whole round. */
  readonly stepsMs: number;
  readonly evaluationMs: number;
  readonly roundMs: number;
}

const HOLDOUT = 0.2;
const EPOCHS = 5;
const BATCH = 32;

/** The fastest of `turns` rounds, each in turn with its steps alone. */
export async function measureAgentRound(records: number, turns: number): Promise<AgentRoundFigures> {
  const folder = await mkdtemp(join(tmpdir(), 'veilsum-bench-'));
  const columns = SIDE * SIDE;
  const onnx = convolutionalNetwork(1);
  const model = prepareModel(onnx);
  const manifest = manifestOf({
    job: 'bench-round',
    model,
    columns,
    silos: ['a', 'b', 'c', 'd', 'e'],
    largest: records,
    rounds: 1,
    training: {
      batchSize: BATCH,
      localWork: { kind: 'epochs', epochs: EPOCHS },
      optimiser: { kind: 'sgd', learningRate: 0.01, momentum: 0.9, nesterov: false, weightDecay: 0 },
      clip: 10,
    },
  });
  const job = parseJob(manifest);
  if (job.kind !== 'train') throw new Error('the job of the bench trains');
  const layout = readLayout(manifest.layout);
  try {
    await writeFile(
      join(folder, 'x.npy'),
      npy([records, columns], (i) => Math.sin(i * 12.9898)),
    );
    await writeFile(
      join(folder, 'y.npy'),
      npy([records], (i) => i % 2),
    );
    const arrays = [
      { file: join(folder, 'x.npy'), as: 'x' },
      { file: join(folder, 'y.npy'), as: 'y' },
    ];
    await using trainer = await createTrainer({ model: onnx, loss: defaultLoss('binary-cross-entropy') });
    await trainer.prepare(BATCH);
    const least = { round: Infinity, steps: Infinity, evaluation: Infinity };
    let steps = 0;
    // The first turn compiles and warms up.
    for (let turn = 0; turn <= turns; turn++) {
      let inSteps = 0;
      let inEvaluation = 0;
      const timed = {
        evaluate: async (...call: Parameters<typeof trainer.evaluate>) => {
          const begun = performance.now();
          const result = await trainer.evaluate(...call);
          inEvaluation += performance.now() - begun;
          return result;
        },
        train: async (...call: Parameters<typeof trainer.train>) => {
          const begun = performance.now();
          const result = await trainer.train(...call);
          inSteps = performance.now() - begun;
          return result;
        },
      };
      const begun = performance.now();
      const read = await readDataSet({ name: 'bench', arrays }, job.contract, folder);
      const { train, holdout } = splitHoldout(read, HOLDOUT, seedBytes('split'));
      const state = decodeModelState(model.state);
      const seed = seedBytes('order');
      const terms = { job, layout, round: 1, rounds: 1, closing: false, state, train, holdout, seed, own: undefined };
      const learned = await learn(timed, terms);
      const stream = new Keystream(seedBytes('rounding'));
      quantise(layout, learned.segments, (count) => new Uint32Array(stream.next(4 * count).slice().buffer));
      read.close?.();
      steps = learned.steps;
      if (turn === 0) continue;
      const round = performance.now() - begun;
      if (round - inSteps >= least.round - least.steps) continue;
      least.round = round;
      least.steps = inSteps;
      least.evaluation = inEvaluation;
    }
    return { records, steps, stepsMs: least.steps, evaluationMs: least.evaluation, roundMs: least.round };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** As numpy.save writes float32. */
function npy(shape: readonly number[], value: (i: number) => number): Buffer {
  const text =
    `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.map(String).join(', ')},), }`.padEnd(117) + '\n';
  const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => value(i));
  const head = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, text.length & 255, text.length >> 8]);
  return Buffer.concat([head, Buffer.from(text), Buffer.from(values.buffer)]);
}

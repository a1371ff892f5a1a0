// BatchNormalization. With training_mode 1 the statistics of the batch are used and the running ones, which are part of the vector, are
// renewed from them; the silos' running statistics are averaged like weights. With training_mode 0, or where `train` leaves them out,
// the statistics of the file stay, and the node is an affine map per channel (Ioffe and Szegedy 2015).

import { defined } from '../../base/index.js';
import { float, int, numberOf } from '../graph/attribute.js';
import { elementCount, type GraphNode } from '../graph/types.js';
import { FLAG, type OperatorRule } from './rule.js';
import type { Tape } from './tape.js';

const EPSILON = 1e-5;
const MOMENTUM = 0.9;
const trainsOnBatch = (node: GraphNode): boolean => numberOf(node, 'training_mode', 0) === 1;

export const batchNormalization: OperatorRule = {
  operator: 'BatchNormalization',
  inputs: [5, 5],
  outputsMax: 3,
  outputsUsable: 1,
  attributes: {
    epsilon: { kind: 'float', min: 0 },
    momentum: { kind: 'float', min: 0, max: 1 },
    training_mode: FLAG,
  },
  selectingInputs: [3, 4],
  statisticInputs: (node) => (trainsOnBatch(node) ? [3, 4] : []),
  predict: withRunningStatistics,
  train: (tape, node) => {
    const mean = tape.slot(tape.input(node, 3));
    const variance = tape.slot(tape.input(node, 4));
    if (!trainsOnBatch(node) || mean === undefined || variance === undefined) {
      tape.builder.copy(withRunningStatistics(node));
      return;
    }
    const outputs = [tape.output(node), tape.builder.name('batch_mean'), tape.builder.name('batch_variance')];
    const [, batchMean = '', batchVariance = ''] = outputs;
    const momentum = numberOf(node, 'momentum', MOMENTUM);
    // With momentum 0 the operator hands out the statistics of the batch themselves.
    tape.builder.emitNamed('BatchNormalization', node.inputs, outputs, {
      epsilon: float(numberOf(node, 'epsilon', EPSILON)),
      momentum: float(0),
      training_mode: int(1),
    });
    tape.keep(node, [batchMean, batchVariance]);
    const shape = tape.shape(tape.input(node, 0));
    const count = elementCount(shape) / defined(shape[1], 'the channels of a batch normalisation');
    tape.statistic({ slot: mean, output: batchMean, momentum, factor: 1 });
    tape.statistic({ slot: variance, output: batchVariance, momentum, factor: count > 1 ? count / (count - 1) : 1 });
  },
  backward: (tape, node, dy) => {
    const [x, scale, bias] = [tape.input(node, 0), tape.input(node, 1), tape.input(node, 2)];
    const ofBatch = tape.kept(node);
    const [mean = tape.input(node, 3), variance = tape.input(node, 4)] = ofBatch ?? [];
    const shape = tape.shape(x);
    const channels = elementCount(tape.shape(scale));
    const perChannel = [1, channels, ...shape.slice(2).map(() => 1)];
    const axes = [...shape.keys()].filter((axis) => axis !== 1);
    const epsilon = tape.builder.scalar(numberOf(node, 'epsilon', EPSILON));
    const deviation = tape.emit('Sqrt', [tape.emit('Add', [variance, epsilon])]);
    const inverse = tape.reshape(tape.emit('Reciprocal', [deviation]), perChannel);
    const normal = tape.emit('Mul', [tape.emit('Sub', [x, tape.reshape(mean, perChannel)]), inverse]);
    const sumOfDy = tape.sum(dy, axes);
    const sumAlong = tape.sum(tape.emit('Mul', [dy, normal]), axes);
    if (tape.wants(scale)) tape.accumulate(scale, tape.reshape(sumAlong, [channels]));
    if (tape.wants(bias)) tape.accumulate(bias, tape.reshape(sumOfDy, [channels]));
    if (!tape.wants(x)) return;
    const slope = tape.emit('Mul', [tape.reshape(scale, perChannel), inverse]);
    const through = ofBatch === undefined ? dy : withoutMeans(tape, { dy, normal, sumOfDy, sumAlong }, shape);
    tape.accumulate(x, tape.emit('Mul', [through, slope]));
  },
};

/** dy - mean(dy) - normal * mean(dy * normal): what is left when mean and variance follow the batch. */
function withoutMeans(
  tape: Tape,
  names: { readonly dy: string; readonly normal: string; readonly sumOfDy: string; readonly sumAlong: string },
  shape: readonly number[],
): string {
  const count = elementCount(shape) / defined(shape[1], 'the channels of a batch normalisation');
  const along = tape.emit('Mul', [names.normal, tape.scale(names.sumAlong, 1 / count)]);
  return tape.emit('Sub', [tape.emit('Sub', [names.dy, tape.scale(names.sumOfDy, 1 / count)]), along]);
}

function withRunningStatistics(node: GraphNode): GraphNode {
  if (!trainsOnBatch(node) && node.outputs.length === 1) return node;
  const attributes = new Map([...node.attributes].filter(([name]) => name !== 'training_mode'));
  return { ...node, outputs: node.outputs.slice(0, 1), attributes };
}

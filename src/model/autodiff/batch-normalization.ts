// BatchNormalization. With training_mode 1 the statistics of the batch are used and the running ones, which are part of the vector, are
// renewed from them; the silos' running statistics are averaged like weights. With training_mode 0, or where `train` leaves them out,
// the statistics of the file stay, and the node is an affine map per channel (Ioffe and Szegedy 2015).

import { defined } from '../../base/index.js';
import { float, int, numberOf } from '../graph/attribute.js';
import { float32 } from '../graph/tensor.js';
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
    const epsilon = numberOf(node, 'epsilon', EPSILON);
    const deviation = tape.emit('Sqrt', [tape.emit('Add', [variance, tape.builder.scalar(epsilon)])]);
    const inverse = tape.emit('Reciprocal', [deviation]);
    const [ones, zeros] = [filled(tape, channels, 1), filled(tape, channels, 0)];
    // The operator itself, fed statistics, is an affine map per channel in one pass over the memory, where Sub and Mul are two.
    const affine = (of: string, slope: string, offset: string): string =>
      tape.emit('BatchNormalization', [of, slope, offset, zeros, ones], { epsilon: float(0) });
    const normal = tape.emit('BatchNormalization', [x, ones, zeros, mean, variance], { epsilon: float(epsilon) });
    const flat = (sum: string): string => tape.reshape(sum, [channels]);
    const sumOfDy = flat(tape.sum(dy, axes));
    const sumAlong = flat(tape.sum(tape.emit('Mul', [dy, normal]), axes));
    if (tape.wants(scale)) tape.accumulate(scale, sumAlong);
    if (tape.wants(bias)) tape.accumulate(bias, sumOfDy);
    if (!tape.wants(x)) return;
    const slope = tape.emit('Mul', [scale, inverse]);
    if (ofBatch === undefined) {
      tape.accumulate(x, tape.emit('Mul', [dy, tape.reshape(slope, perChannel)]));
      return;
    }
    // slope * (dy - mean(dy) - normal * mean(dy * normal)): what is left when mean and variance follow the batch.
    const share = 1 / (elementCount(shape) / channels);
    const offset = tape.emit('Neg', [tape.emit('Mul', [slope, tape.scale(sumOfDy, share)])]);
    const along = tape.emit('Mul', [slope, tape.scale(sumAlong, share)]);
    const straight = affine(dy, slope, offset);
    tape.accumulate(x, tape.emit('Sub', [straight, tape.emit('Mul', [normal, tape.reshape(along, perChannel)])]));
  },
};

function filled(tape: Tape, length: number, value: number): string {
  return tape.builder.constant(float32([length], new Float32Array(length).fill(value)));
}

function withRunningStatistics(node: GraphNode): GraphNode {
  if (!trainsOnBatch(node) && node.outputs.length === 1) return node;
  const attributes = new Map([...node.attributes].filter(([name]) => name !== 'training_mode'));
  return { ...node, outputs: node.outputs.slice(0, 1), attributes };
}

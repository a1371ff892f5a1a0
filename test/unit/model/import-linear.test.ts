// scikit-learn's linear operators: the runtime computes the same from the file and from what is read, and their coefficients train.

import { describe, expect, it } from 'vitest';
import { initialParameters, ModelError, readForwardModel, withParameters } from '../../../src/model/index.js';
import type { AttributeProto, NodeProto } from '../../../src/model/gen/onnx/onnx.js';
import { logisticRegression, seededFloats } from '../../support/onnx-models.js';
import { runOnce, tensor } from '../../support/onnx-run.js';
import {
  attribute,
  AttributeProto_AttributeType as Kind,
  node,
  operateOn,
  type OpenModel,
} from '../../support/onnx-surgery.js';

const ML = 'ai.onnx.ml';
const floats = (name: string, values: ArrayLike<number>): AttributeProto =>
  attribute(name, { type: Kind.FLOATS, floats: Array.from(values) });
const ints = (name: string, values: bigint[]): AttributeProto => attribute(name, { type: Kind.INTS, ints: values });
const word = (name: string, value: string): AttributeProto =>
  attribute(name, { type: Kind.STRING, s: new TextEncoder().encode(value) });

const SCALER = node({
  opType: 'Scaler',
  domain: ML,
  name: 'scale',
  input: ['x'],
  output: ['scaled'],
  attribute: [floats('offset', [1, -0.5, 0.25, 2]), floats('scale', [0.5, 2, 1, 3])],
});
const CLASSIFIER = node({
  opType: 'LinearClassifier',
  domain: ML,
  name: 'classify',
  input: ['scaled'],
  output: ['label', 'logits'],
  attribute: [
    floats('coefficients', seededFloats(12, 5)),
    floats('intercepts', [0.1, -0.2, 0.3]),
    ints('classlabels_ints', [0n, 1n, 2n]),
    word('post_transform', 'NONE'),
  ],
});
const REGRESSOR = node({
  opType: 'LinearRegressor',
  domain: ML,
  name: 'regress',
  input: ['scaled'],
  output: ['logits'],
  attribute: [
    floats('coefficients', seededFloats(8, 6)),
    floats('intercepts', [0.5, -0.5]),
    attribute('targets', { type: Kind.INT, i: 2n }),
  ],
});

/** A model of these nodes alone: x [batch, 4] -> logits [batch, outputs]. */
function modelOf(outputs: number, nodes: NodeProto[], opset = 17n, change: (m: OpenModel) => void = () => undefined) {
  return operateOn(logisticRegression(4, outputs), (m) => {
    m.opsetImport = [
      { domain: ML, version: 3n },
      { domain: '', version: opset },
    ];
    m.graph.initializer = [];
    m.graph.node = nodes;
    change(m);
  });
}

const normalizer = (norm: string): NodeProto =>
  node({ opType: 'Normalizer', domain: ML, input: ['x'], output: ['scaled'], attribute: [word('norm', norm)] });

async function expectSame(file: Uint8Array, rows: Float32Array): Promise<void> {
  const model = readForwardModel(file);
  const x = tensor(rows, [rows.length / 4, 4]);
  const ours = await runOnce(withParameters(model, initialParameters(model)), { x });
  const theirs = await runOnce(file, { x });
  const [got, expected] = [ours['logits']!, theirs['logits']!];
  expect(got.length).toBe(expected.length);
  got.forEach((value, at) => {
    expect(value).toBeCloseTo(expected[at]!, 5);
  });
}

describe('linear operators of scikit-learn', () => {
  const rows = seededFloats(24, 9, 2);

  it('compute what the runtime computes: scaler and regressor with two targets', async () => {
    const file = modelOf(2, [SCALER, REGRESSOR]);
    await expectSame(file, rows);
    expect(readForwardModel(file).parameters.map(({ name, shape }) => [name, shape])).toEqual([
      ['regress/coefficients', [2, 4]],
      ['regress/intercepts', [2]],
    ]);
  });

  it('compute what the runtime computes: scaler and classifier, whose labels are left out', async () => {
    const labelled = modelOf(
      3,
      [SCALER, CLASSIFIER, node({ opType: 'Cast', input: ['label'], output: ['kept'] })],
      17n,
      (m) => {
        m.graph.node[2]!.attribute.push(attribute('to', { type: Kind.INT, i: 7n }));
        m.graph.output.unshift({ name: 'kept', type: undefined, docString: '' });
      },
    );
    await expectSame(labelled, rows);
    const model = readForwardModel(labelled);
    expect(model.graph.nodes.map(({ operator }) => operator)).toEqual(['Constant', 'Constant', 'Sub', 'Mul', 'Gemm']);
    expect(model.parameterCount).toBe(15);
  });

  const norms = ['MAX', 'L1', 'L2'].flatMap((norm) => [17n, 18n].map((opset) => [norm, opset] as const));
  it.each(norms)(
    'compute what the runtime computes: normalizer %s in operator set %s, also of zeros',
    async (norm, opset) => {
      const withZeros = Float32Array.from([...rows.map(Math.abs), ...rows.map((value) => -value), 0, 0, 0, 0]);
      await expectSame(modelOf(2, [normalizer(norm), REGRESSOR], opset), withZeros);
    },
  );

  const refused: [string, RegExp, NodeProto[]][] = [
    [
      'a ZipMap, with what to do',
      /ZipMap makes a list of maps.*'zipmap': False/,
      [SCALER, CLASSIFIER, node({ opType: 'ZipMap', domain: ML, input: ['logits'], output: ['maps'] })],
    ],
    [
      'probabilities, with what to do',
      /post_transform LOGISTIC gives probabilities.*'raw_scores': True/,
      [SCALER, { ...CLASSIFIER, attribute: [...CLASSIFIER.attribute.slice(0, 3), word('post_transform', 'LOGISTIC')] }],
    ],
    [
      'one row of coefficients for two classes',
      /1 rows of coefficients for 2 labels/,
      [
        SCALER,
        {
          ...CLASSIFIER,
          attribute: [
            floats('coefficients', [1, 2, 3, 4]),
            floats('intercepts', [1]),
            ints('classlabels_ints', [0n, 1n]),
          ],
        },
      ],
    ],
    [
      'coefficients that do not divide',
      /7 coefficients do not divide into 2 rows/,
      [SCALER, { ...REGRESSOR, attribute: [floats('coefficients', seededFloats(7, 1)), REGRESSOR.attribute[2]!] }],
    ],
    [
      'another number of intercepts',
      /1 intercepts for 2 outputs/,
      [
        SCALER,
        { ...REGRESSOR, attribute: [REGRESSOR.attribute[0]!, floats('intercepts', [1]), REGRESSOR.attribute[2]!] },
      ],
    ],
    [
      'a transformed regression',
      /post_transform PROBIT, only NONE/,
      [SCALER, { ...REGRESSOR, attribute: [...REGRESSOR.attribute, word('post_transform', 'PROBIT')] }],
    ],
    ['a scaler without offset', /Scaler without offset/, [{ ...SCALER, attribute: [SCALER.attribute[1]!] }, REGRESSOR]],
    ['an unknown norm', /Normalizer by L7/, [normalizer('L7'), REGRESSOR]],
    [
      'other operators of the domain',
      /TreeEnsembleRegressor: no gradient/,
      [node({ opType: 'TreeEnsembleRegressor', domain: ML, input: ['x'], output: ['logits'] })],
    ],
  ];
  it.each(refused)('refuse %s', (_, message, nodes) => {
    let found: unknown;
    try {
      readForwardModel(modelOf(2, nodes));
    } catch (error) {
      found = error;
    }
    expect(found).toBeInstanceOf(ModelError);
    expect((found as ModelError).message).toMatch(message);
  });
});

// Functions of a file's own are inlined: the runtime, which knows functions, computes the same from the file and from what is read.

import { describe, expect, it } from 'vitest';
import { ModelError, initialParameters, readForwardModel, withParameters } from '../../../src/model/index.js';
import { multiLayerPerceptron, seededFloats } from '../../support/onnx-models.js';
import { runOnce, tensor } from '../../support/onnx-run.js';
import {
  attribute,
  AttributeProto_AttributeType as Kind,
  functionOf,
  node,
  operateOn,
  type OpenModel,
} from '../../support/onnx-surgery.js';

const OWN = 'hospital.layers';
const STANDARD = [{ domain: '', version: 17n }];
const MODEL = multiLayerPerceptron([4, 3, 1], 1);

/** act(x; slope = 0.25) = LeakyRelu(x). */
const activation = () =>
  functionOf({
    name: 'act',
    domain: OWN,
    input: ['x'],
    output: ['y'],
    opsetImport: STANDARD,
    attributeProto: [attribute('slope', { type: Kind.FLOAT, f: 0.25 })],
    node: [
      node({
        opType: 'LeakyRelu',
        input: ['x'],
        output: ['y'],
        attribute: [attribute('alpha', { type: Kind.FLOAT, refAttrName: 'slope' })],
      }),
    ],
  });

/** block(x; slope) = (act(x; slope) + x, -x): calls another function and has a value `t` of its own. */
const block = () =>
  functionOf({
    name: 'block',
    domain: OWN,
    input: ['x', 'optional'],
    output: ['y', 'z'],
    attribute: ['slope'],
    opsetImport: [...STANDARD, { domain: OWN, version: 1n }],
    node: [
      node({
        opType: 'act',
        domain: OWN,
        input: ['x'],
        output: ['t'],
        attribute: [attribute('slope', { type: Kind.FLOAT, refAttrName: 'slope' })],
      }),
      node({ opType: 'Add', input: ['t', 'x'], output: ['y'] }),
      node({ opType: 'Neg', input: ['x'], output: ['z'] }),
    ],
  });

const call = (input: string, outputs: string[], slope?: number) =>
  node({
    opType: 'block',
    domain: OWN,
    name: slope === undefined ? 'plain' : 'steep',
    input: [input],
    output: outputs,
    attribute: slope === undefined ? [] : [attribute('slope', { type: Kind.FLOAT, f: slope })],
  });

/** Gemm, block with a slope, block without one, the sum of both its outputs, Gemm. */
function nested(m: OpenModel): void {
  m.opsetImport.push({ domain: OWN, version: 1n });
  m.functions.push(block(), activation());
  const [first, , last] = m.graph.node as [(typeof m.graph.node)[0], unknown, (typeof m.graph.node)[0]];
  m.graph.node = [
    first,
    call(first.output[0]!, ['t', 'unread'], 0.5),
    call('t', ['a', 'b']),
    node({ opType: 'Add', input: ['a', 'b'], output: ['sum'] }),
    { ...last, input: ['sum', ...last.input.slice(1)] },
  ];
}

function problems(change: (m: OpenModel) => void): string {
  try {
    readForwardModel(operateOn(MODEL, change));
  } catch (error) {
    if (error instanceof ModelError) return `${error.code} ${error.message}`;
    throw error;
  }
  return 'accepted';
}

const withFunction =
  (change: (own: ReturnType<typeof activation>, m: OpenModel) => void) =>
  (m: OpenModel): void => {
    nested(m);
    change(m.functions[1]!, m);
  };

describe('functions of a model file', () => {
  it('are inlined with their attributes, defaults and functions inside, and compute the same', async () => {
    const file = operateOn(MODEL, nested);
    const model = readForwardModel(file);
    expect(model.graph.nodes.map(({ operator }) => operator)).toEqual([
      ...['Gemm', 'LeakyRelu', 'Add', 'Neg', 'LeakyRelu', 'Add', 'Neg', 'Add', 'Gemm'],
    ]);
    expect(model.parameters.map(({ name }) => name)).toEqual(
      readForwardModel(MODEL).parameters.map(({ name }) => name),
    );
    const x = tensor(seededFloats(20, 3), [5, 4]);
    const published = withParameters(model, initialParameters(model));
    const [theirs, ours] = [await runOnce(file, { x }), await runOnce(published, { x })];
    expect([...ours['logits']!]).toEqual([...theirs['logits']!]);
    // Reading what was published finds nothing to inline any more.
    expect(readForwardModel(published).source.functions).toEqual([]);
  });

  it('may hand out an input, or one value under two names', () => {
    const handing = operateOn(MODEL, (m) => {
      nested(m);
      m.functions[0]!.output = ['x', 'x'];
    });
    const { nodes } = readForwardModel(handing).graph;
    const [first, second] = nodes.filter(({ operator }) => operator === 'Identity').slice(-2);
    expect([first?.inputs, first?.outputs, second?.outputs]).toEqual([['t'], ['a'], ['b']]);
    expect(second?.inputs).toEqual(['t']);
  });

  it('leave a file without any as it was', () => {
    const { source } = readForwardModel(MODEL);
    expect(source.graph.node.map(({ name }) => name)).toEqual(['Gemm#0', 'Relu#1', 'Gemm#2']);
  });

  const refused: [string, RegExp, (m: OpenModel) => void][] = [
    [
      'that calls itself by way of another',
      /calls itself \(function hospital.layers.block\)/,
      withFunction((own) => {
        own.node[0] = call('x', ['y']);
      }),
    ],
    [
      'that gives a standard operator another meaning',
      /another meaning.*function \.Relu/,
      withFunction((own) => Object.assign(own, { name: 'Relu', domain: '' })),
    ],
    ['that is defined twice', /is defined twice/, withFunction((own, m) => m.functions.push({ ...own }))],
    [
      'written for another operator set',
      /operator set 18 of '', the model has 17/,
      withFunction((own) => (own.opsetImport = [{ domain: '', version: 18n }])),
    ],
    [
      'that reaches for a value outside of it',
      /function act uses logits, which it does not define before/,
      withFunction((own) => (own.node[0]!.input = ['logits'])),
    ],
    [
      'that defines a value twice',
      /function act defines y twice/,
      withFunction((own) => own.node.push({ ...own.node[0]! })),
    ],
    ['that never computes its output', /computes its output z nowhere/, withFunction((own) => (own.output = ['z']))],
    [
      'called with an attribute it does not have',
      /function block has no attribute zeal/,
      withFunction((_, m) => (m.graph.node[1]!.attribute[0]!.name = 'zeal')),
    ],
    [
      'called with an attribute of another kind',
      /slope is not of the kind/,
      withFunction((_, m) => Object.assign(m.graph.node[1]!.attribute[0]!, { type: Kind.INT, i: 1n })),
    ],
    [
      'called with too many inputs',
      /gives 3 inputs to function block, which takes 2/,
      withFunction((_, m) => (m.graph.node[1]!.input = ['t', 't', 't'])),
    ],
    [
      'called for too many outputs',
      /takes 3 outputs of function block, which has 2/,
      withFunction((_, m) => (m.graph.node[2]!.output = ['a', 'b', 'c'])),
    ],
    [
      'with an operator that has no rule inside',
      /no gradient for operator Loop \(node steep\/act\/Loop\)/,
      withFunction((own) => Object.assign(own.node[0]!, { opType: 'Loop', attribute: [] })),
    ],
    [
      'of a domain that nothing defines',
      /imports the foreign domain evil/,
      withFunction((_, m) => m.opsetImport.push({ domain: 'evil', version: 1n })),
    ],
  ];
  it.each(refused)('refuse a function %s', (_, message, change) => {
    expect(problems(nested)).toBe('accepted');
    expect(problems(change)).toMatch(message);
  });

  it('that double at each level are refused before they fill the memory, even when they come to nothing', () => {
    const doubling = (m: OpenModel): void => {
      nested(m);
      const level = (at: number) => ({ opType: `level${String(at)}`, domain: OWN });
      for (let at = 1; at <= 40; at++)
        m.functions.push(
          functionOf({
            name: `level${String(at)}`,
            domain: OWN,
            opsetImport: STANDARD,
            node: at === 40 ? [] : [node(level(at + 1)), node(level(at + 1))],
          }),
        );
      m.graph.node.unshift(node(level(1)));
    };
    expect(problems(doubling)).toMatch(/model\/too-large.*unfold to more than 50000 nodes/);
  });
});

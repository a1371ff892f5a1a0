// What a model file may not be: one test per refusal, and one that all problems are listed at once.

import { describe, expect, it } from 'vitest';
import { concat } from '../../../src/base/index.js';
import { ModelError, readForwardModel } from '../../../src/model/index.js';
import { multiLayerPerceptron } from '../../support/onnx-models.js';
import {
  attribute,
  AttributeProto_AttributeType as Kind,
  node,
  operateOn,
  TensorProto_DataLocation,
  type OpenModel,
} from '../../support/onnx-surgery.js';

const MODEL = multiLayerPerceptron([4, 3, 1], 1);

function refusal(bytes: Uint8Array): ModelError {
  try {
    readForwardModel(bytes);
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
  throw new Error('the model was accepted');
}

function problemsAfter(change: (model: OpenModel) => void): readonly { place: string; what: string }[] {
  const error = refusal(operateOn(MODEL, change));
  expect(error.code).toBe('model/refused');
  for (const { place, what } of error.problems) {
    expect(error.message).toContain(place);
    expect(error.message).toContain(what);
  }
  return error.problems;
}

const integer = (name: string, value: bigint) => attribute(name, { type: Kind.INT, i: value });

describe('a model is refused when it', () => {
  it('is accepted before anything is changed', () => {
    expect(readForwardModel(operateOn(MODEL, () => undefined)).parameterCount).toBe(19);
  });

  const cases: [string, string, RegExp, (model: OpenModel) => void][] = [
    [
      'uses an operator without a rule',
      'node layer two',
      /no gradient for operator Loop/,
      (m) => Object.assign(m.graph.node[1]!, { opType: 'Loop', name: 'layer two' }),
    ],
    [
      'uses an operator of a foreign domain',
      'node veilsum',
      /foreign domain com.microsoft/,
      (m) => Object.assign(m.graph.node[1]!, { domain: 'com.microsoft', name: 'veilsum' }),
    ],
    [
      'imports a foreign domain',
      'model',
      /foreign domain evil/,
      (m) => m.opsetImport.push({ domain: 'evil', version: 1n }),
    ],
    [
      'has too old an operator set',
      'model',
      /operator set 12 is outside 13 to 23/,
      (m) => (m.opsetImport[0]!.version = 12n),
    ],
    ['has too new an operator set', 'model', /operator set 24 is outside/, (m) => (m.opsetImport[0]!.version = 24n)],
    ['carries training instructions', 'model', /training instructions/, (m) => m.trainingInfo.push({})],
    ['has sparse initialisers', 'model', /sparse/, (m) => m.graph.sparseInitializer.push({})],
    [
      'keeps data in another file',
      'initialiser layer1.weight',
      /outside the model file/,
      (m) => (m.graph.initializer[0]!.dataLocation = TensorProto_DataLocation.EXTERNAL),
    ],
    [
      'names an external file without saying so',
      'initialiser layer1.weight',
      /outside the model file/,
      (m) => m.graph.initializer[0]!.externalData.push({ key: 'location', value: '/etc/passwd' }),
    ],
    [
      'has an element type that is not supported',
      'initialiser layer1.weight',
      /element type 10/,
      (m) => (m.graph.initializer[0]!.dataType = 10),
    ],
    [
      'has float64 parameters',
      'initialiser layer1.bias',
      /export the model in float32/,
      (m) => Object.assign(m.graph.initializer[1]!, { dataType: 11, rawData: new Uint8Array(24) }),
    ],
    [
      'holds fewer values than a shape says',
      'initialiser layer1.weight',
      /shape asks for 12 elements, the data holds 11/,
      (m) => (m.graph.initializer[0]!.rawData = new Uint8Array(44)),
    ],
    [
      'has a negative dimension',
      'initialiser layer1.weight',
      /negative or overflowing/,
      (m) => (m.graph.initializer[0]!.dims = [-3n, -4n]),
    ],
    [
      'has a dimension that overflows',
      'initialiser layer1.weight',
      /negative or overflowing/,
      (m) => (m.graph.initializer[0]!.dims = [2n ** 40n, 2n ** 40n]),
    ],
    [
      'names two initialisers alike',
      'initialiser layer1.weight',
      /name occurs twice/,
      (m) => m.graph.initializer.push(m.graph.initializer[0]!),
    ],
    [
      'has an attribute that the operator does not take',
      'node g',
      /attribute zeal of Gemm is not known/,
      (m) => Object.assign(m.graph.node[0]!, { name: 'g', attribute: [integer('zeal', 1n)] }),
    ],
    [
      'has an attribute out of bounds',
      'node g',
      /transB of Gemm is outside 0 to 1/,
      (m) => Object.assign(m.graph.node[0]!, { name: 'g', attribute: [integer('transB', 2n)] }),
    ],
    [
      'has an attribute of the wrong kind',
      'node g',
      /transB of Gemm is of kind float where int is expected/,
      (m) =>
        Object.assign(m.graph.node[0]!, { name: 'g', attribute: [attribute('transB', { type: Kind.FLOAT, f: 1 })] }),
    ],
    [
      'has an attribute that is not finite',
      'node g',
      /alpha of Gemm is outside/,
      (m) =>
        Object.assign(m.graph.node[0]!, {
          name: 'g',
          attribute: [attribute('alpha', { type: Kind.FLOAT, f: Infinity })],
        }),
    ],
    [
      'has an attribute twice',
      'node g',
      /attribute transB occurs twice/,
      (m) => Object.assign(m.graph.node[0]!, { name: 'g', attribute: [integer('transB', 1n), integer('transB', 1n)] }),
    ],
    [
      'has a graph as an attribute',
      'node g',
      /kind GRAPH/,
      (m) =>
        Object.assign(m.graph.node[0]!, {
          name: 'g',
          attribute: [attribute('body', { type: Kind.GRAPH, g: structuredClone(m.graph) })],
        }),
    ],
    [
      'refers to the attribute of a function',
      'node g',
      /refers to a function's attribute/,
      (m) =>
        Object.assign(m.graph.node[0]!, {
          name: 'g',
          attribute: [attribute('alpha', { type: Kind.FLOAT, refAttrName: 'outer' })],
        }),
    ],
    [
      'gives an operator too many inputs',
      'node r',
      /Relu takes 1 to 1 inputs, not 2/,
      (m) => {
        m.graph.node[1]!.name = 'r';
        m.graph.node[1]!.input.push('x');
      },
    ],
    [
      'gives an operator too many outputs',
      'node r',
      /must have one named output/,
      (m) => {
        m.graph.node[1]!.name = 'r';
        m.graph.node[1]!.output.push('more');
      },
    ],
    [
      'uses a value before it is defined',
      'node r',
      /input ghost is defined nowhere before/,
      (m) => {
        m.graph.node[1]!.name = 'r';
        m.graph.node[1]!.input = ['ghost'];
      },
    ],
    [
      'defines a value twice',
      'node again',
      /value x is defined twice/,
      (m) => m.graph.node.push(node({ name: 'again', opType: 'Relu', input: ['logits'], output: ['x'] })),
    ],
    [
      'takes a reserved name',
      'node thief',
      /name veilsum.loss is reserved/,
      (m) => m.graph.node.push(node({ name: 'thief', opType: 'Relu', input: ['logits'], output: ['veilsum.loss'] })),
    ],
    [
      'computes the shape of a Reshape',
      'node shape',
      /input 1 of Reshape must be a constant/,
      (m) => m.graph.node.push(node({ name: 'shape', opType: 'Reshape', input: ['logits', 'x'], output: ['z'] })),
    ],
    [
      'has a Constant without a value',
      'node c',
      /exactly one value/,
      (m) => m.graph.node.push(node({ name: 'c', opType: 'Constant', output: ['z'] })),
    ],
    [
      'has two inputs',
      'model input',
      /one input is expected, the model has 2/,
      (m) => m.graph.input.push({ ...m.graph.input[0]!, name: 'second' }),
    ],
    ['has no input', 'model input', /the model has 0/, (m) => (m.graph.input = [])],
    [
      'has two outputs',
      'model output',
      /one output is expected, the model has 2/,
      (m) => m.graph.output.push(m.graph.output[0]!),
    ],
    [
      'gives out what it never computes',
      'model output',
      /ghost is computed nowhere/,
      (m) => (m.graph.output[0]!.name = 'ghost'),
    ],
    [
      'takes an input that is not float32',
      'model input x',
      /must be a float32 or int64 tensor/,
      (m) => (m.graph.input[0]!.type!.value!.value.elemType = 11),
    ],
    [
      'gives an output that is not float32',
      'model output logits',
      /must be a float32 tensor/,
      (m) => (m.graph.output[0]!.type!.value!.value.elemType = 7),
    ],
    [
      'has a fixed batch size',
      'model input x',
      /first axis of \[1, 4\] must be a symbolic batch/,
      (m) => (m.graph.input[0]!.type!.value!.value.shape!.dim[0]!.value = { $case: 'dimValue', value: 1n }),
    ],
    [
      'has a feature axis that is not fixed',
      'model input x',
      /all axes of \[batch, n\] but the first must be fixed/,
      (m) => (m.graph.input[0]!.type!.value!.value.shape!.dim[1]!.value = { $case: 'dimParam', value: 'n' }),
    ],
  ];
  for (const [sentence, place, what, change] of cases)
    it(sentence, () => {
      expect(problemsAfter(change)).toContainEqual({ place, what: expect.stringMatching(what) as string });
    });

  it('is wrong in several places, and lists all of them', () => {
    const problems = problemsAfter((m) => {
      m.opsetImport[0]!.version = 9n;
      Object.assign(m.graph.node[0]!, { opType: 'Loop', name: 'first' });
      Object.assign(m.graph.node[2]!, { opType: 'Det', name: 'last' });
    });
    expect(problems.map(({ place }) => place)).toEqual(['model', 'node first', 'node last']);
  });

  it('uses what training alone computes: the mask of a dropout, the batch statistics of a normalisation', () => {
    const problems = problemsAfter((m) => {
      m.graph.node.push(
        node({ name: 'drop', opType: 'Dropout', input: ['logits'], output: ['dropped', 'mask'] }),
        node({ name: 'cast', opType: 'Not', input: ['mask'], output: ['z'] }),
      );
    });
    expect(problems).toEqual([{ place: 'node cast', what: 'the input mask is defined nowhere before' }]);
  });

  it('hands a recurrent layer lengths, peepholes or activations of its own', () => {
    const problems = problemsAfter((m) => {
      const lstm = (name: string, input: string[], attributes: ReturnType<typeof attribute>[] = []) =>
        node({ name, opType: 'LSTM', input, output: [name], attribute: attributes });
      const [x, w] = ['logits', 'layer2.weight'];
      const swapped = ['Tanh', 'Sigmoid', 'Tanh'].map((text) => new TextEncoder().encode(text));
      m.graph.node.push(
        lstm('lengths', [x, w, w, '', w]),
        lstm('peepholes', [x, w, w, '', '', '', '', w]),
        lstm('activations', [x, w, w], [attribute('activations', { type: Kind.STRINGS, strings: swapped })]),
      );
    });
    expect(problems).toEqual([
      {
        place: 'node lengths',
        what: 'LSTM with sequence_lens is not trained; pad the sequences and mask what follows their ends',
      },
      { place: 'node peepholes', what: 'LSTM with peepholes is not trained' },
      {
        place: 'node activations',
        what: 'LSTM is trained with its default activations Sigmoid, Tanh, Tanh only',
      },
    ]);
  });

  it('has so many or so long-named problems that a message must stay readable', () => {
    const bytes = operateOn(MODEL, (m) => {
      m.graph.node = Array.from({ length: 60 }, (_, i) => node({ name: 'n'.repeat(300) + String(i), opType: 'Nope' }));
    });
    const error = refusal(bytes);
    expect(error.problems.filter(({ what }) => what === 'no gradient for operator Nope')).toHaveLength(60);
    expect(error.message).toMatch(/; and 11 more$/);
    expect(error.message.length).toBeLessThan(50 * 500);
  });

  it('has no trainable parameter', () => {
    const bytes = operateOn(MODEL, (m) => {
      m.graph.node = [node({ opType: 'Relu', input: ['x'], output: ['logits'] })];
    });
    expect(refusal(bytes).code).toBe('model/no-parameters');
  });

  it.each([
    ['is no protocol buffer', Uint8Array.of(255, 255, 255, 255)],
    ['is empty', new Uint8Array(0)],
    ['is cut off', MODEL.subarray(0, MODEL.length - 3)],
  ])('%s', (_, bytes) => {
    expect(refusal(bytes).code).toBe('model/not-onnx');
  });

  it('nests graphs until the stack gives out', () => {
    const wrap = (tag: number, inner: Uint8Array): Uint8Array => {
      const length = [];
      for (let rest = inner.length; ; rest >>>= 7) {
        length.push((rest & 127) | (rest > 127 ? 128 : 0));
        if (rest <= 127) break;
      }
      return concat(Uint8Array.of(tag, ...length), inner);
    };
    // A graph (field 1: node) whose node has an attribute (field 5) with a graph (field 6), and so on.
    let nested = new Uint8Array(0) as Uint8Array;
    for (let depth = 0; depth < 3000; depth++) nested = wrap(0x0a, wrap(0x2a, wrap(0x32, nested)));
    const opset = Uint8Array.of(0x42, 2, 0x10, 17);
    expect(['model/not-onnx', 'model/refused']).toContain(refusal(concat(opset, wrap(0x3a, nested))).code);
  });

  it('has more nodes than the limit', () => {
    const bytes = operateOn(MODEL, (m) => {
      m.graph.node = Array.from({ length: 50_001 }, () => node({ opType: 'Relu' }));
    });
    expect(refusal(bytes).code).toBe('model/too-large');
  });
});

// Model files that no exporter writes. Found by the fuzzer, or by asking what it could not reach (docs/fuzzing.md).

import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/base/index.js';
import { readForwardModel } from '../../../src/model/index.js';
import { repeated } from '../../fuzz/bytes.js';
import { logisticRegression } from '../../support/onnx-models.js';
import { attribute, node, operateOn } from '../../support/onnx-surgery.js';

const model = logisticRegression(3, 1, 1);
const refused = (text: string) =>
  expect.objectContaining({ code: 'model/refused', message: expect.stringContaining(text) as string }) as Error;

describe('the importer', () => {
  it('refuses an attribute of a kind that the format does not have, which a runtime might read all the same', () => {
    const bytes = operateOn(model, ({ graph }) => {
      graph.node[0]!.attribute.push(attribute('alpha', { f: 3, type: 99 as never }));
    });
    expect(() => readForwardModel(bytes)).toThrow(refused('attribute alpha has kind 99'));
  });

  it('refuses a row so long that one batch of it could not be allocated', () => {
    for (const extent of [LIMITS.modelRowMax + 1, Number.MAX_SAFE_INTEGER]) {
      const bytes = operateOn(model, ({ graph }) => {
        const type = graph.input[0]!.type!.value as { value: { shape: { dim: { value: unknown }[] } } };
        type.value.shape.dim[1]!.value = { $case: 'dimValue', value: BigInt(extent) };
      });
      expect(() => readForwardModel(bytes), `${extent}`).toThrow(refused('has more than 1000000 values'));
    }
  });

  it('refuses a file of empty nodes before they are made', () => {
    // graph { node {} node {} … }, two bytes each.
    const nodes = repeated(Uint8Array.of(0x0a, 0), LIMITS.modelNumbersMax);
    const length = nodes.length;
    const varint = [
      (length & 0x7f) | 0x80,
      ((length >> 7) & 0x7f) | 0x80,
      ((length >> 14) & 0x7f) | 0x80,
      length >> 21,
    ];
    const bytes = Uint8Array.of(0x3a, ...varint);
    const file = new Uint8Array(bytes.length + length);
    file.set(bytes);
    file.set(nodes, bytes.length);
    expect(() => readForwardModel(file)).toThrow(expect.objectContaining({ code: 'model/too-large' }));
  });

  it('keeps a thousand problems of a file that has more, and says how many there are', () => {
    const bytes = operateOn(model, ({ graph }) => {
      for (let k = 0; k < 3000; k++) graph.node.push(node({ opType: 'Nothing', output: [`v${k}`] }));
    });
    expect(() => readForwardModel(bytes)).toThrow(refused('refused for 3000 reason(s)'));
    try {
      readForwardModel(bytes);
    } catch (error) {
      expect((error as { problems: unknown[] }).problems).toHaveLength(1000);
    }
  });

  it('prints no control characters of a name in the file', () => {
    const bytes = operateOn(model, ({ graph }) => {
      graph.node.push(node({ opType: '\u001b[2J\u202e', output: ['v'] }));
    });
    expect(() => readForwardModel(bytes)).toThrow(refused('\\u{1b}[2J\\u{202e}'));
  });
});

// What a file may unfold to. Functions that call functions double with each level, so a file of some kilobytes can ask for more nodes
// than any machine holds; the limits that hold for a file hold for what it unfolds to.

import { LIMITS } from '../../base/index.js';
import { ModelError } from '../errors.js';
import type { AttributeProto, NodeProto } from '../gen/onnx/onnx.js';

export class Spend {
  #nodes = 0;
  #numbers = 0;
  #bytes = 0;

  /** Counts one node of a body, or one call. Throws `model/too-large`. */
  node({ input, output, attribute }: NodeProto): void {
    this.#nodes += 1;
    this.#numbers += input.length + output.length + attribute.length;
    for (const entry of attribute) this.#bytes += bytesOf(entry);
    const { modelNodesMax, modelNumbersMax, modelBytes } = LIMITS;
    if (this.#nodes > modelNodesMax || this.#numbers > modelNumbersMax || this.#bytes > modelBytes)
      throw new ModelError(
        'model/too-large',
        `its functions unfold to more than ${String(modelNodesMax)} nodes, ${String(modelNumbersMax)} names or ${String(modelBytes)} bytes`,
        { remedy: 'export the model with its functions inlined and without what is not needed' },
      );
  }
}

function bytesOf({ s, t, floats, ints, strings }: AttributeProto): number {
  const texts = strings.reduce((sum, { length }) => sum + length, s.length);
  const numbers = 8 * (floats.length + ints.length);
  if (t === undefined) return texts + numbers;
  const typed = t.floatData.length + t.int32Data.length + t.int64Data.length + t.doubleData.length;
  return texts + numbers + t.rawData.length + 8 * typed;
}

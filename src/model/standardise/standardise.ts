// Standardisation baked into the model: (x - mean) * inverse std in front of its input, as initialisers that are never trained, so
// that the trained model takes raw features. Every silo does this by itself from the same statistics and compares hashes, so the
// arithmetic is pinned: float64 division, one rounding to float32.

import { ModelError } from '../errors.js';
import type { NodeProto } from '../gen/onnx/onnx.js';
import { readForwardModel } from '../forward.js';
import { float32, writeTensor } from '../graph/tensor.js';
import { encodeModel, writeNode } from '../graph/write.js';
import { STANDARDISATION } from './names.js';

export interface Standardisation {
  /** One per input column, in the units of the raw feature. */
  readonly mean: Float64Array;
  readonly std: Float64Array;
}

/**
 * A column whose standard deviation is at most this fraction of max(1, |mean|) is constant but for rounding. Its inverse is set
 * to 0, which feeds the model 0 for it: a value never seen in training then cannot act through weights that were never trained.
 */
export const CONSTANT_COLUMN = 1e-9;

/** float32(1 / std), or 0 for a column that does not vary. */
export function inverseStd(mean: number, std: number): number {
  return std <= CONSTANT_COLUMN * Math.max(1, Math.abs(mean)) ? 0 : Math.fround(1 / std);
}

/**
 * The model file with the standardisation in front of its input [batch, columns]. Throws what `readForwardModel` throws,
 * `model/already-standardised` or `model/bad-standardisation`. Equal inputs give equal bytes.
 */
export function withStandardisation(bytes: Uint8Array, { mean, std }: Standardisation): Uint8Array {
  const model = readForwardModel(bytes);
  if (model.standardised) throw new ModelError('model/already-standardised', 'the model carries a standardisation');
  const [columns, ...further] = model.input.rowShape;
  if (columns === undefined || further.length > 0 || model.input.type !== 'float32')
    throw new ModelError(
      'model/bad-standardisation',
      'only a float32 input of shape [batch, columns] can be standardised',
    );
  if (mean.length !== columns || std.length !== columns)
    throw new ModelError(
      'model/bad-standardisation',
      `${String(mean.length)} means and ${String(std.length)} deviations for ${String(columns)} columns`,
    );
  const inverse = Array.from(std, (deviation, column) => {
    // Equal length was checked above.
    const centre = mean[column] as number;
    const factor = inverseStd(centre, deviation);
    if (!Number.isFinite(Math.fround(centre)) || !Number.isFinite(factor) || !(deviation >= 0 && deviation < Infinity))
      throw new ModelError(
        'model/bad-standardisation',
        `column ${String(column)}: mean and deviation must be finite, deviation >= 0`,
      );
    return factor;
  });

  const input = model.input.name;
  const { source } = model;
  const redirect = (name: string): string => (name === input ? STANDARDISATION.output : name);
  const node = [
    arithmetic('Sub', input, STANDARDISATION.mean, STANDARDISATION.centred),
    arithmetic('Mul', STANDARDISATION.centred, STANDARDISATION.inverseStd, STANDARDISATION.output),
    ...source.graph.node.map((entry) => ({ ...entry, input: entry.input.map(redirect) })),
  ];
  const initializer = [
    ...source.graph.initializer,
    writeTensor(STANDARDISATION.mean, float32([columns], mean)),
    writeTensor(STANDARDISATION.inverseStd, float32([columns], inverse)),
  ];
  return encodeModel({ ...source, graph: { ...source.graph, node, initializer } });
}

function arithmetic(operator: 'Sub' | 'Mul', a: string, b: string, output: string): NodeProto {
  return writeNode({ name: output, operator, inputs: [a, b], outputs: [output], attributes: new Map() });
}

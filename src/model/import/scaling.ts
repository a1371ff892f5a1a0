// Scaler: (x - offset) * scale per column. Normalizer: each row divided by its largest value, its L1 or its L2 norm; a row whose divisor
// is 0 stays as it is.

import { int, ints, textOf } from '../graph/attribute.js';
import { float32, int64s, scalar } from '../graph/tensor.js';
import type { Attribute, Tensor } from '../graph/types.js';
import type { Rewriting } from './rewriting.js';

export function scaler({ node, refuse, emit }: Rewriting): void {
  const constantOf = (name: string): string | undefined => {
    const attribute = node.attributes.get(name);
    if (attribute?.kind === 'floats' && attribute.value.length > 0)
      return emit('Constant', [], value(float32([attribute.value.length], attribute.value)));
    refuse(`Scaler without ${name}`);
    return undefined;
  };
  const [offset, scale] = [constantOf('offset'), constantOf('scale')];
  if (offset === undefined || scale === undefined) return;
  emit('Mul', [emit('Sub', [node.inputs[0] ?? '', offset]), scale], {}, node.outputs[0]);
}

export function normalizer({ node, opset, refuse, emit }: Rewriting): void {
  const [x = ''] = node.inputs;
  const norm = textOf(node, 'norm', 'MAX');
  // Axes are an input of ReduceSum in all operator sets that are read, of ReduceMax from 18 on.
  const axes = (): string => emit('Constant', [], value(int64s([1])));
  const keep = { keepdims: int(1) };
  const divisor = (): string | undefined => {
    switch (norm) {
      case 'MAX':
        return opset < 18 ? emit('ReduceMax', [x], { ...keep, axes: ints([1]) }) : emit('ReduceMax', [x, axes()], keep);
      case 'L1':
        return emit('ReduceSum', [emit('Abs', [x]), axes()], keep);
      case 'L2':
        return emit('ReduceSum', [emit('Mul', [x, x]), axes()], keep);
      default:
        refuse(`Normalizer by ${norm}; MAX, L1 or L2 is expected`);
        return undefined;
    }
  };
  const found = divisor();
  if (found === undefined) return;
  const constant = (number: number): string => emit('Constant', [], value(scalar(number)));
  const safe = emit('Where', [emit('Equal', [found, constant(0)]), constant(1), found]);
  emit('Div', [x, norm === 'L2' ? emit('Sqrt', [safe]) : safe], {}, node.outputs[0]);
}

function value(tensor: Tensor): Readonly<Record<string, Attribute>> {
  return { value: { kind: 'tensor', value: tensor } };
}

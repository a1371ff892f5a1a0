// LSTM and GRU: directions, initial states, absent biases, outputs that are used or not.

import { attributes } from '../../../../src/model/index.js';
import type { GraphBuilder } from '../../../../src/model/index.js';
import type { NamedCase } from './case.js';

const { int, text } = attributes;
const [TIME, BATCH, COLUMNS, HIDDEN] = [4, 2, 3, 3];

type Output = 'all' | 'sequence' | 'last';

interface Form {
  readonly name: string;
  readonly direction: 'forward' | 'reverse' | 'bidirectional';
  readonly bias?: boolean;
  readonly states?: boolean;
  readonly output?: Output;
  readonly linear?: boolean;
}

function recurrent(operator: 'LSTM' | 'GRU', form: Form): NamedCase {
  const { direction, bias = true, states = false, output = 'all', linear } = form;
  const directions = direction === 'bidirectional' ? 2 : 1;
  const rows = (operator === 'LSTM' ? 4 : 3) * HIDDEN;
  const state = [directions, BATCH, HIDDEN];
  const parameters: Record<string, readonly number[]> = {
    v: [TIME, BATCH, COLUMNS],
    w: [directions, rows, COLUMNS],
    r: [directions, rows, HIDDEN],
    ...(bias ? { b: [directions, 2 * rows] } : {}),
    ...(states ? { h: state } : {}),
    ...(states && operator === 'LSTM' ? { c: state } : {}),
  };
  const inputs = ['v', 'w', 'r', bias ? 'b' : '', '', states ? 'h' : '', states && operator === 'LSTM' ? 'c' : ''];
  return {
    operator,
    name: form.name,
    parameters,
    output: output === 'last' ? [directions, BATCH, HIDDEN] : [TIME, directions, BATCH, HIDDEN],
    emit: (g: GraphBuilder) => {
      const used = operator === 'LSTM' ? inputs : inputs.slice(0, 6);
      const names = ['sequence', 'h_last', ...(operator === 'LSTM' ? ['c_last'] : [])];
      const outputs = names.map((name, at) =>
        (output === 'last' && at === 0) || (output === 'sequence' && at > 0) ? '' : name,
      );
      while (outputs.at(-1) === '') outputs.pop();
      while (used.at(-1) === '') used.pop();
      g.emitNamed(operator, used, outputs, {
        hidden_size: int(HIDDEN),
        direction: text(direction),
        ...(linear === undefined ? {} : { linear_before_reset: int(linear ? 1 : 0) }),
      });
      return outputs.filter((name) => name !== '').reduce((sum, name) => g.emit('Add', [sum, name]));
    },
  };
}

const FORMS: readonly Form[] = [
  { name: 'forward', direction: 'forward' },
  { name: 'reverse, with initial states', direction: 'reverse', states: true },
  { name: 'in both directions, with initial states', direction: 'bidirectional', states: true },
  { name: 'without bias, only its sequence used', direction: 'forward', bias: false, output: 'sequence' },
  { name: 'in both directions, only its last states used', direction: 'bidirectional', output: 'last' },
];

export const RECURRENT: readonly NamedCase[] = [
  ...FORMS.map((form) => recurrent('LSTM', form)),
  ...FORMS.flatMap((form) =>
    [true, false].map((linear) =>
      recurrent('GRU', {
        ...form,
        name: `${form.name}, ${linear ? 'linear before reset' : 'reset before product'}`,
        linear,
      }),
    ),
  ),
];

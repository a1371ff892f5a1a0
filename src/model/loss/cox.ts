// Cox's partial likelihood (Cox 1972) with Breslow's handling of ties, within one batch: an event at time t_i costs
// log(sum of exp(z_j) over the rows j of the batch with t_j >= t_i) - z_i, a censored row costs nothing. The output is one log hazard
// ratio a row. Risk sets do not reach beyond the batch, so a batch has to hold several events.
//
// A target is the time, negative when the row is censored. 0 is no record: what fills up a batch is in no risk set.

import { ModelError } from '../errors.js';
import { int } from '../graph/attribute.js';
import type { GraphBuilder } from '../graph/builder.js';
import { elementCount, showShape } from '../graph/types.js';
import type { Loss, LossOutput } from './loss.js';

/** Stands for minus infinity where it must not become NaN. */
const FAR_BELOW = -1e30;
/** TensorProto.FLOAT. */
const FLOAT = 1;

export const cox: Loss = {
  kind: 'cox',
  targetType: 'float32',
  targetShape: (outputShape) => {
    const [batch] = outputShape;
    if (batch === undefined || elementCount(outputShape.slice(1)) !== 1)
      throw new ModelError(
        'model/bad-shape',
        `Cox's likelihood needs one output a row, the model gives ${showShape(outputShape)}`,
      );
    return [batch];
  },
  classes: () => undefined,
  rowLosses: (builder, output, targets) => {
    const { masked, event } = riskSets(builder, output, targets);
    // An event is in its own risk set, so its cost stands on the diagonal.
    const costs = builder.emit('LogSoftmax', [masked], { axis: int(1) });
    const diagonal = builder.emit('Mul', [costs, builder.emit('EyeLike', [costs])]);
    const own = builder.emit('ReduceSum', [diagonal, builder.ints([1])], { keepdims: int(0) });
    return builder.emit('Neg', [builder.emit('Mul', [event, own])]);
  },
  rowGradient: () => {
    throw new ModelError('model/bad-loss', 'rows of Cox’s likelihood have no gradients of their own');
  },
  batchGradient: (builder, output, targets, share) => {
    const { masked, event } = riskSets(builder, output, targets);
    const chance = builder.emit('Softmax', [masked], { axis: int(1) });
    const batch = output.shape[0] ?? 1;
    const weight = builder.emit('Mul', [event, share]);
    // Row i of `chance` spreads the weight of event i over its risk set; the event itself takes all of it back.
    const row = builder.emit('Reshape', [weight, builder.ints([1, batch])]);
    const spread = builder.emit('Reshape', [builder.emit('MatMul', [row, chance]), builder.ints([batch])]);
    return builder.emit('Reshape', [builder.emit('Sub', [spread, weight]), builder.ints(output.shape)]);
  },
  scores: (_builder, output) => output.name,
};

function riskSets(builder: GraphBuilder, output: LossOutput, targets: string) {
  const batch = output.shape[0] ?? 1;
  const zero = builder.scalar(0);
  const times = builder.emit('Abs', [targets]);
  const earlier = builder.emit('Reshape', [times, builder.ints([batch, 1])]);
  const later = builder.emit('Reshape', [times, builder.ints([1, batch])]);
  const atRisk = builder.emit('And', [
    builder.emit('GreaterOrEqual', [later, earlier]),
    builder.emit('Greater', [later, zero]),
  ]);
  const across = builder.emit('Reshape', [output.name, builder.ints([1, batch])]);
  return {
    /** [batch, batch]: z_j where row j is in the risk set of row i, far below everything elsewhere. */
    masked: builder.emit('Where', [atRisk, across, builder.scalar(FAR_BELOW)]),
    /** [batch]: 1 for an event, 0 for a censored row and for filling. */
    event: builder.emit('Cast', [builder.emit('Greater', [targets, zero])], { to: int(FLOAT) }),
  };
}

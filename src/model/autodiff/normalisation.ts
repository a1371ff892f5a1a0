// What the normalisations share. With n = (x - mean) / sqrt(variance + epsilon) over `axes` and g the gradient of n:
// dx = (g - mean(g) - n * mean(g * n)) / sqrt(variance + epsilon). Mean and variance are computed again here, which costs two passes
// and leaves the forward node as the exporter wrote it.

import type { Tape } from './tape.js';

export interface Normalised {
  /** The normalised input, of x's shape. */
  readonly normal: string;
  /** Emits the gradient of x. */
  readonly dx: () => string;
}

export function normalisationGradient(
  tape: Tape,
  x: string,
  g: string,
  axes: readonly number[],
  epsilon: number,
  /** Of x and g; measured where x is a value of the model. */
  shape = tape.shape(x),
): Normalised {
  const count = axes.reduce((product, axis) => product * (shape[axis] ?? 1), 1);
  const mean = (value: string): string => tape.scale(tape.sum(value, axes), 1 / count);
  const centred = tape.emit('Sub', [x, mean(x)]);
  const variance = mean(tape.emit('Mul', [centred, centred]));
  const deviation = tape.emit('Sqrt', [tape.emit('Add', [variance, tape.builder.scalar(epsilon)])]);
  const inverse = tape.emit('Reciprocal', [deviation]);
  const normal = tape.emit('Mul', [centred, inverse]);
  const dx = (): string => {
    const along = tape.emit('Mul', [normal, mean(tape.emit('Mul', [g, normal]))]);
    return tape.emit('Mul', [inverse, tape.emit('Sub', [g, tape.emit('Add', [mean(g), along])])]);
  };
  return { normal, dx };
}

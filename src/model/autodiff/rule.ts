// What a rule is: one allowed operator, the bounds of what may be written at its nodes, and its gradient. One file a rule;
// autodiff/rules.ts lists them, and an operator that is not in the list is refused when a job is created.

import type { GraphNode } from '../graph/types.js';
import type { Tape } from './tape.js';

/** What an attribute may hold. Numbers must be finite in any case; bounds are inclusive. */
export type AttributeBound =
  | { readonly kind: 'int'; readonly min: number; readonly max: number }
  | { readonly kind: 'float'; readonly min?: number; readonly max?: number }
  | { readonly kind: 'ints'; readonly min: number; readonly max: number }
  | { readonly kind: 'floats' }
  | { readonly kind: 'string'; readonly oneOf: readonly string[] }
  | { readonly kind: 'tensor' };

/**
 * Emits the gradients of a node's inputs and hands them to `tape.accumulate`, for those inputs that `tape.wants`.
 * `dy` names the gradient of the node's first output and has that output's shape; it is zero where only other outputs count.
 */
export type Backward = (tape: Tape, node: GraphNode, dy: string) => void;

export interface OperatorRule {
  readonly operator: string;
  /** First operator set that has it, where that is later than the oldest one accepted. */
  readonly since?: number;
  /** Least and greatest number of inputs. */
  readonly inputs: readonly [min: number, max: number];
  /** Greatest number of outputs; 1 when absent. All must be named. */
  readonly outputsMax?: number;
  readonly attributes: Readonly<Record<string, AttributeBound>>;
  /** Inputs that steer the operator and take no gradient: shapes, axes, limits. A parameter may not stand there. */
  readonly steeringInputs?: readonly number[];
  /** Absent where the output is a constant of the graph. */
  readonly backward?: Backward;
}

/** Ranks above this are no medical model. */
export const RANK_MAX = 8;
export const AXIS: AttributeBound = { kind: 'int', min: -RANK_MAX, max: RANK_MAX - 1 };
export const AXES: AttributeBound = { kind: 'ints', min: -RANK_MAX, max: RANK_MAX - 1 };
export const FLAG: AttributeBound = { kind: 'int', min: 0, max: 1 };

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
  /** Any text up to this length, for a rule that reads it itself. */
  | { readonly kind: 'text'; readonly max: number }
  /** Each of the texts is one of these. */
  | { readonly kind: 'strings'; readonly oneOf: readonly string[] }
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
  /** Greatest number of outputs; 1 when absent. */
  readonly outputsMax?: number;
  /** How many of the outputs may be used by other nodes; all when absent. The others may be named and lead nowhere. */
  readonly outputsUsable?: number;
  readonly attributes: Readonly<Record<string, AttributeBound>>;
  /** Inputs that steer the operator and take no gradient: shapes, axes, limits. Their values must not depend on records. */
  readonly steeringInputs?: readonly number[];
  /** Inputs that take no gradient but may be computed from records: indices, conditions. */
  readonly selectingInputs?: readonly number[];
  /** Inputs that hold running statistics at this node: part of the vector, renewed from the batch and not by a gradient. */
  readonly statisticInputs?: (node: GraphNode) => readonly number[];
  /** A reason to refuse this node beyond the bounds above. */
  readonly refusal?: (node: GraphNode) => string | undefined;
  /**
   * Emits the node into a training graph, under its own output names, where training computes something else than the node says or
   * keeps intermediate results; `tape.keep` holds them for `backward`. The node itself is copied when absent.
   */
  readonly train?: (tape: Tape, node: GraphNode) => void;
  /** The node as it predicts, where that differs from how it trains: without dropout, with running statistics. */
  readonly predict?: (node: GraphNode) => GraphNode;
  /** Absent where the output takes no gradient. */
  readonly backward?: Backward;
}

/** Whether a gradient flows from the node's outputs to its input at this position. */
export function takesGradient(rule: OperatorRule, node: GraphNode, at: number): boolean {
  return (
    rule.backward !== undefined &&
    rule.steeringInputs?.includes(at) !== true &&
    rule.selectingInputs?.includes(at) !== true &&
    rule.statisticInputs?.(node).includes(at) !== true
  );
}

/** Ranks above this are no medical model. */
export const RANK_MAX = 8;
export const AXIS: AttributeBound = { kind: 'int', min: -RANK_MAX, max: RANK_MAX - 1 };
export const AXES: AttributeBound = { kind: 'ints', min: -RANK_MAX, max: RANK_MAX - 1 };
export const FLAG: AttributeBound = { kind: 'int', min: 0, max: 1 };

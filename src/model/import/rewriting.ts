// What a rewriting of one foreign operator is given.

import type { Attribute, GraphNode, Tensor } from '../graph/types.js';

/** Where a rewriting puts what stands for one node. */
export interface Rewriting {
  readonly node: GraphNode;
  readonly opset: number;
  readonly refuse: (what: string) => void;
  /** Emits a standard node; `output` when it computes the value that the file has under this name. Returns the output's name. */
  readonly emit: (
    operator: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, Attribute>>,
    output?: string,
  ) => string;
  /** A trainable tensor, named after the node. */
  readonly initialiser: (name: string, tensor: Tensor) => string;
}

// What the probe found of a graph's values: types, shapes, and small constants.

import type { ElementType, Tensor } from './types.js';

/** What the probe measured of one value, at the probed batch size. */
export interface Measured {
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** The value itself, where it is the same for all records and small: a shape, an axis, a mask. */
  readonly data?: Tensor['data'];
}

export type Shapes = ReadonlyMap<string, Measured>;

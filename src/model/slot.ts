// The place of a parameter in the vector.

/** Where one parameter lies in the flat vector; offset and length count elements. */
export interface ParameterSlot {
  readonly name: string;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly length: number;
  /** A running statistic of a batch normalisation: renewed from each batch, averaged over silos, never moved by a gradient. */
  readonly statistic?: true;
}

// Quantiles from a histogram, with the interval in which each lies for certain.

export interface Quantile {
  /** In (0, 1). */
  readonly part: number;
  /** Records spread evenly within their bin. */
  readonly value: number;
  /** The quantile of the records themselves lies between these, wherever they are in their bins and whatever was left out. */
  readonly lowest: number;
  readonly highest: number;
}

const PARTS = [0.05, 0.25, 0.5, 0.75, 0.95];

/**
 * The quantile of `part` is the smallest value that at least part * records are not above. `leftOut`: records in no cell; they may be in
 * any cell that a silo left out. Empty without records.
 */
export function quantilesOf(
  cells: readonly { readonly count: number; readonly leftOut: number }[],
  edges: readonly number[],
  leftOut: number,
): readonly Quantile[] {
  const seen = cells.reduce((sum, { count }) => sum + count, 0);
  if (seen === 0) return [];
  const records = seen + leftOut;
  return PARTS.map((part) => {
    const lowest = edges[reach(cells, part * records, leftOut, 'first')] ?? 0;
    const highest = edges[reach(cells, part * records, leftOut, 'last') + 1] ?? 0;
    return { part, value: within(cells, edges, part * seen), lowest, highest };
  });
}

/** The cell in which `rank` records are reached when all that was left out lies in the first, or the last, cell where it can. */
function reach(
  cells: readonly { readonly count: number; readonly leftOut: number }[],
  rank: number,
  leftOut: number,
  where: 'first' | 'last',
): number {
  const holder =
    where === 'first' ? cells.findIndex((cell) => cell.leftOut > 0) : cells.findLastIndex((cell) => cell.leftOut > 0);
  let below = 0;
  for (const [i, { count }] of cells.entries()) {
    below += count + (i === holder ? leftOut : 0);
    if (below >= rank && below > 0) return i;
  }
  return cells.length - 1;
}

function within(cells: readonly { readonly count: number }[], edges: readonly number[], rank: number): number {
  let below = 0;
  for (const [i, { count }] of cells.entries()) {
    const [from = 0, to = 0] = [edges[i], edges[i + 1]];
    if (count > 0 && below + count >= rank) return from + ((to - from) * (rank - below)) / count;
    below += count;
  }
  return edges.at(-1) ?? 0;
}

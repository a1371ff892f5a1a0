// Small counts that a silo leaves out of its tables by its own policy. What is left out is said to be left out: it is not a zero.

export interface Suppressed {
  /** 0 where a cell is left out. */
  readonly counts: Float64Array;
  /** 1 where a cell is left out, 0 elsewhere. */
  readonly left: Float64Array;
}

/**
 * Leaves out every count from 1 to `smallest` - 1. In a `complete` table, whose cells add up to a number that is opened as well, the next
 * larger counts go too until at least two cells and `smallest` records are left out: otherwise the rest would tell what is missing.
 */
export function withoutSmallCells(counts: Float64Array, smallest: number, complete: boolean): Suppressed {
  const left = new Float64Array(counts.length);
  let [records, cells] = [0, 0];
  const leave = (cell: number): void => {
    left[cell] = 1;
    records += counts[cell] ?? 0;
    cells++;
  };
  counts.forEach((count, cell) => {
    if (count > 0 && count < smallest) leave(cell);
  });
  if (complete && cells > 0) {
    const others = [...counts.keys()].filter((cell) => left[cell] === 0 && (counts[cell] ?? 0) > 0);
    others.sort((a, b) => (counts[a] ?? 0) - (counts[b] ?? 0) || a - b);
    for (const cell of others) {
      if (cells >= 2 && records >= smallest) break;
      leave(cell);
    }
  }
  return { counts: counts.map((count, cell) => (left[cell] === 1 ? 0 : count)), left };
}

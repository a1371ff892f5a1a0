// Kaplan and Meier's estimate (1958) from counts by bins of time. Within a bin nobody knows the order of events and censorings, so the
// curve is told with what the two extreme orders give.

export interface CurvePoint {
  /** End of the bin. */
  readonly time: number;
  /** Records observed at the beginning of the bin. */
  readonly atRisk: number;
  readonly events: number;
  readonly censored: number;
  /** Survival to `time` with all censorings at the ends of their bins: the product of 1 - events / atRisk. */
  readonly survival: number;
  /** With all censorings at the beginnings of their bins: the product of 1 - events / (atRisk - censored). */
  readonly lowest: number;
  /** Hospitals that left out the events or the censorings of this bin; their records are in none of the figures. */
  readonly leftOut: number;
}

export interface Curve {
  /** The category it is of; empty for the curve of all. */
  readonly group: string;
  readonly points: readonly CurvePoint[];
}

interface Cell {
  readonly count: number;
  readonly leftOut: number;
}

/** `events` and `censored` have one cell for each bin of equal width from 0 to `horizon`. */
export function kaplanMeier(group: string, events: readonly Cell[], censored: readonly Cell[], horizon: number): Curve {
  const total = (cells: readonly Cell[]): number => cells.reduce((sum, { count }) => sum + count, 0);
  let atRisk = total(events) + total(censored);
  let [survival, lowest] = [1, 1];
  const points = events.map((event, i): CurvePoint => {
    const lost = censored[i] ?? { count: 0, leftOut: 0 };
    const begun = atRisk;
    if (event.count > 0) {
      survival *= 1 - event.count / begun;
      lowest *= 1 - event.count / (begun - lost.count);
    }
    atRisk -= event.count + lost.count;
    return {
      time: (horizon * (i + 1)) / events.length,
      atRisk: begun,
      events: event.count,
      censored: lost.count,
      survival,
      lowest,
      leftOut: Math.max(event.leftOut, lost.leftOut),
    };
  });
  return { group, points };
}

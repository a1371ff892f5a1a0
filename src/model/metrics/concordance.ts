// Harrell's C (1982) from counts by bin of time and bin of score. A pair is comparable when the record with the shorter time had its
// event, or both have one time and one of them its event; it counts as one when the shorter time has the higher score, as a half when
// scores are equal. Records of one bin of time may or may not be comparable, and those of one bin of score are not told apart.

import { ModelError } from '../errors.js';

export interface Concordance {
  /** From the pairs in different bins of time, those within one bin of score counted half. */
  readonly value: number;
  /** The C of the records themselves lies within value +- this. */
  readonly errorBound: number;
}

/**
 * `events` and `censored`: bins of time by bins of score, row-major, shortest times and lowest scores first. Undefined when no pair is
 * surely comparable. Throws `model/bad-scores`.
 */
export function concordance(
  events: ArrayLike<number>,
  censored: ArrayLike<number>,
  bins: number,
): Concordance | undefined {
  assertGrid(events, bins);
  assertGrid(censored, bins);
  const sure = new Pairs();
  const unsure = new Pairs();
  /** Pairs of two events within one bin of time. */
  let unordered = 0;
  const later = new Float64Array(bins);
  for (let time = bins - 1; time >= 0; time--) {
    const row = (grid: ArrayLike<number>): Float64Array =>
      Float64Array.from({ length: bins }, (_, score) => grid[time * bins + score] ?? 0);
    const [seen, cut] = [row(events), row(censored)];
    sure.add(seen, later);
    unsure.add(seen, cut);
    const total = seen.reduce((a, b) => a + b, 0);
    unordered += (total * (total - 1)) / 2;
    later.forEach((count, score) => (later[score] = count + (seen[score] ?? 0) + (cut[score] ?? 0)));
  }
  const { won, tied, lost } = sure;
  const pairs = won + tied + lost;
  if (pairs === 0) return undefined;
  const value = (won + tied / 2) / pairs;
  // At worst every unsure pair that could count against is comparable and does, and no other is; at best the other way round.
  const against = unordered + unsure.lost + unsure.tied;
  const inFavour = unordered + unsure.won + unsure.tied;
  const least = won / (pairs + against);
  const most = (won + tied + inFavour) / (pairs + inFavour);
  return { value, errorBound: Math.max(value - least, most - value) };
}

/** Pairs of an event with records that live longer, by which of them has the higher score. */
class Pairs {
  won = 0;
  tied = 0;
  lost = 0;

  add(events: Float64Array, longer: Float64Array): void {
    const all = longer.reduce((a, b) => a + b, 0);
    let below = 0;
    events.forEach((count, score) => {
      const same = longer[score] ?? 0;
      this.won += count * below;
      this.tied += count * same;
      this.lost += count * (all - below - same);
      below += same;
    });
  }
}

function assertGrid(counts: ArrayLike<number>, bins: number): void {
  if (counts.length !== bins * bins)
    throw new ModelError('model/bad-scores', `${String(counts.length)} counts are not ${String(bins)} bins by as many`);
  for (let cell = 0; cell < counts.length; cell++)
    if (!((counts[cell] ?? -1) >= 0 && (counts[cell] ?? 0) < Infinity))
      throw new ModelError('model/bad-scores', 'a table of times and scores holds a count below zero');
}

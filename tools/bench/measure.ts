// Times as ratios: what is compared is measured in turns in one run, so that a slow machine or a busy one changes both.

/** Medians of nanoseconds that each task takes, run in turns `repeats` times after one turn to warm up. */
export function medians<Name extends string>(
  tasks: Readonly<Record<Name, () => void>>,
  repeats: number,
): Record<Name, number> {
  const names = Object.keys(tasks) as Name[];
  const times = new Map<Name, number[]>(names.map((name) => [name, []]));
  for (let turn = 0; turn <= repeats; turn++)
    for (const name of names) {
      const from = process.hrtime.bigint();
      tasks[name]();
      const took = Number(process.hrtime.bigint() - from);
      if (turn > 0) times.get(name)?.push(took);
    }
  // Every name has as many times as there were turns.
  return Object.fromEntries(names.map((name) => [name, median(times.get(name) ?? [])])) as Record<Name, number>;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

// Times as ratios: what is compared is measured in turns in one run, so that a slow machine or a busy one changes both.

/** The least nanoseconds that each task took, run in turns `repeats` times after one turn to warm up. */
export function fastest<Name extends string>(
  tasks: Readonly<Record<Name, () => void>>,
  repeats: number,
): Record<Name, number> {
  const names = Object.keys(tasks) as Name[];
  const least = new Map<Name, number>(names.map((name) => [name, Infinity]));
  for (let turn = 0; turn <= repeats; turn++)
    for (const name of names) {
      const from = process.hrtime.bigint();
      tasks[name]();
      const took = Number(process.hrtime.bigint() - from);
      if (turn > 0) least.set(name, Math.min(took, least.get(name) ?? Infinity));
    }
  // Every name has a time.
  return Object.fromEntries(least) as Record<Name, number>;
}

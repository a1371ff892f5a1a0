// What sums over several sets of silos tell, where each silo's input is the same in all of them (docs/protocol.md §3): the silos apply it before
// they sign, the coordinator when it plans a round that they should sign.

/** Size of the smallest class of silos that are in exactly the same ones of these sets. Sums of the sets give the sum of each class. */
export function smallestClass(sets: readonly (readonly string[])[], excluded: ReadonlySet<string> = new Set()): number {
  const classes = new Map<string, number>();
  const members = sets.map((set) => new Set(set));
  for (const silo of new Set(sets.flat())) {
    if (excluded.has(silo)) continue;
    const membership = members.map((set) => (set.has(silo) ? '1' : '0')).join('');
    classes.set(membership, (classes.get(membership) ?? 0) + 1);
  }
  return Math.min(...classes.values());
}

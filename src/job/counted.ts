// Numbers with their nouns.

/** `1 round`, `2 rounds`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${String(n)} ${n === 1 ? one : many}`;
}

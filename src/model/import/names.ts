// Names for what an import adds, never one that the file has. Parts are cut short: a function of one long name, called often, would
// otherwise unfold to gigabytes of text.

import type { GraphProto } from '../gen/onnx/onnx.js';

/** Characters kept of the name of a call and of a value inside it. */
const PART_MAX = 80;

export class FreshNames {
  readonly #taken: Set<string>;
  /** Where counting went on last: thousands of calls of one function must not count from 1 each. */
  readonly #next = new Map<string, number>();

  constructor({ input, initializer, node, output }: GraphProto) {
    this.#taken = new Set([
      ...[...input, ...initializer, ...output].map(({ name }) => name),
      ...node.flatMap((entry) => [...entry.input, ...entry.output, entry.name]),
    ]);
  }

  /** `scope/name`, followed by `.2`, `.3` and so on where that is taken. */
  within(scope: string, name: string): string {
    const wish = `${scope.slice(-PART_MAX)}/${name.slice(0, PART_MAX)}`;
    let count = this.#next.get(wish) ?? 1;
    let free = count === 1 ? wish : `${wish}.${String(count)}`;
    while (this.#taken.has(free)) free = `${wish}.${String(++count)}`;
    this.#next.set(wish, count + 1);
    this.#taken.add(free);
    return free;
  }
}

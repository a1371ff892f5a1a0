// The virtual clock: what will happen, in the order in which it happens. Two things at one instant happen in the order they were planned.

interface Planned {
  readonly time: number;
  readonly order: number;
  readonly act: () => void;
}

export class Timeline {
  now: number;
  steps = 0;
  readonly #heap: Planned[] = [];
  #order = 0;

  constructor(start: number) {
    this.now = start;
  }

  get next(): number | undefined {
    return this.#heap[0]?.time;
  }

  after(ms: number, act: () => void): void {
    this.at(this.now + ms, act);
  }

  /** Times that have passed mean now. */
  at(time: number, act: () => void): void {
    const heap = this.#heap;
    heap.push({ time: Math.max(time, this.now), order: this.#order++, act });
    let child = heap.length - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!before(heap[child]!, heap[parent]!)) break;
      [heap[child], heap[parent]] = [heap[parent]!, heap[child]!];
      child = parent;
    }
  }

  /** Lets the next thing happen; false when there is none. */
  step(): boolean {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) return false;
    if (heap.length > 0) {
      heap[0] = last;
      this.#sink();
    }
    this.now = first.time;
    this.steps++;
    first.act();
    return true;
  }

  #sink(): void {
    const heap = this.#heap;
    for (let parent = 0; ; ) {
      const left = 2 * parent + 1;
      const right = left + 1;
      let least = parent;
      if (left < heap.length && before(heap[left]!, heap[least]!)) least = left;
      if (right < heap.length && before(heap[right]!, heap[least]!)) least = right;
      if (least === parent) return;
      [heap[parent], heap[least]] = [heap[least]!, heap[parent]!];
      parent = least;
    }
  }
}

function before(a: Planned, b: Planned): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}

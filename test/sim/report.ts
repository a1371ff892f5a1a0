// What went on in many simulations, added up.

import type { Tally } from './simulation.js';

const SUMMED = ['steps', 'virtualMs', 'rounds', 'attempts', 'abandoned', 'repeated', 'acks'] as const;

export class Report {
  seeds = 0;
  failed = 0;
  readonly #sums = new Map<string, number>();
  readonly #faults = new Map<string, number>();
  readonly #refusals = new Map<string, number>();
  readonly #sizes = new Map<string, number>();
  readonly #begun = performance.now();

  add(silos: number, tally: Tally): void {
    this.seeds++;
    for (const name of SUMMED) count(this.#sums, name, tally[name]);
    for (const [name, times] of tally.faults) count(this.#faults, name, times);
    for (const [name, times] of tally.refusals) count(this.#refusals, name, times);
    count(this.#sizes, silos > 16 ? '17 to 30' : silos > 8 ? '9 to 16' : ' 3 to 8', 1);
  }

  /** One line: how far it is. */
  line(): string {
    const seconds = (performance.now() - this.#begun) / 1000;
    const of = (name: (typeof SUMMED)[number]): number => this.#sums.get(name) ?? 0;
    const rounds = `${of('rounds')} rounds in ${of('attempts')} attempts (${of('repeated')} repeated, ${of('abandoned')} abandoned)`;
    return (
      `${this.seeds} seeds, ${of('steps')} steps, ${rounds}, ${total(this.#faults)} faults, ${of('acks')} acks, ` +
      `${Math.round(of('virtualMs') / 3_600_000)} h simulated in ${seconds.toFixed(0)} s, ` +
      `${(this.seeds / seconds).toFixed(1)} seeds/s, ${this.failed} failed`
    );
  }

  /** Everything, for the end. */
  text(): string {
    return [
      this.line(),
      `simulations by number of silos:\n${list(this.#sizes)}`,
      `faults:\n${list(this.#faults)}`,
      `refused messages and directives:\n${list(this.#refusals)}`,
    ].join('\n');
  }
}

function count(to: Map<string, number>, name: string, times: number): void {
  to.set(name, (to.get(name) ?? 0) + times);
}

function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, times) => sum + times, 0);
}

function list(counts: ReadonlyMap<string, number>): string {
  const sorted = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([name, times]) => `  ${String(times).padStart(9)}  ${name}`).join('\n');
}

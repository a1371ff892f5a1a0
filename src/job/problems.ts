// Bad fields, collected: whoever fixes a job wants all of them at once, each with its path.

import { JobError, type JobErrorCode, type Problem } from './errors.js';

export class Problems {
  readonly #list: Problem[] = [];

  get list(): readonly Problem[] {
    return this.#list;
  }

  add(path: string, expected: string): void {
    this.#list.push({ path, expected });
  }

  /** Records the problem unless `good`. */
  require(good: boolean, path: string, expected: string): void {
    if (!good) this.add(path, expected);
  }

  addAll(prefix: string, problems: readonly Problem[]): void {
    for (const { path, expected } of problems) this.add(prefix + path, expected);
  }

  /** Throws JobError with all of them, or returns when there are none. */
  throwIfAny(code: JobErrorCode, what: string): void {
    if (this.#list.length === 0) return;
    throw new JobError(code, `${what}: ${describeProblems(this.#list)}`, this.#list);
  }
}

export function describeProblems(problems: readonly Problem[]): string {
  return problems.map(({ path, expected }) => `${path}: ${expected}`).join('; ');
}

/** Finite and above zero. */
export function isPositive(value: number): boolean {
  return value > 0 && value < Infinity;
}

/** A whole number from `low` to `high`. */
export function isWhole(value: number, low: number, high: number): boolean {
  return Number.isInteger(value) && value >= low && value <= high;
}

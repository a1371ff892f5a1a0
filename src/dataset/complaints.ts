// Broken rules, counted per column with a few row numbers each. Values stay out of it: an error about patients' records travels to logs
// and screens where the records may not.

import { LIMITS } from '../base/index.js';

export interface Complaint {
  readonly column: string;
  readonly rule: string;
  readonly rows: number[];
  count: number;
}

export class Complaints {
  readonly #byRule = new Map<string, Complaint>();

  get empty(): boolean {
    return this.#byRule.size === 0;
  }

  get list(): readonly Complaint[] {
    return [...this.#byRule.values()];
  }

  /** `row` counts the rows that the query gives, from 1. True when it is among the few that are named. */
  add(column: string, rule: string, row: number): boolean {
    const key = JSON.stringify([column, rule]);
    const complaint = this.#byRule.get(key) ?? { column, rule, rows: [], count: 0 };
    this.#byRule.set(key, complaint);
    complaint.count++;
    if (complaint.rows.length >= LIMITS.rowsInError) return false;
    complaint.rows.push(row);
    return true;
  }

  /** One sentence per column and rule. */
  describe(): string {
    return [...this.#byRule.values()]
      .map(({ column, rule, rows, count }) => {
        const more = count - rows.length;
        return `column ${column}: ${rule} in row${count === 1 ? '' : 's'} ${rows.join(', ')}${more > 0 ? ` and ${String(more)} more` : ''}`;
      })
      .join('; ');
  }
}

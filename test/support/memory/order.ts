// What every run demands of the directives of a silo: the order of their numbers is the order in which they must be dealt with.

import { hex } from '../../../src/base/index.js';
import type { Directive } from '../../../src/wire/index.js';
import type { MemorySilo } from './silo.js';

/** Sequence numbers grow, and none that a silo has passed belongs to a directive that it was never told. */
export function demandOrder(silo: MemorySilo, directives: readonly Directive[]): void {
  directives.forEach((directive, k) => {
    if (k > 0 && directive.sequence <= directives[k - 1]!.sequence)
      throw new Error(`two directives to ${silo.id} share a place in the order: ${nameOf(directive)}`);
    if (directive.sequence <= silo.cursor && !silo.told.has(nameOf(directive)))
      throw new Error(`${silo.id} would never be told: ${nameOf(directive)}`);
  });
}

/** What a directive is about; the aborts beside a start may change without making it another one. */
export function nameOf({ sequence, body }: Directive): string {
  if (body?.$case !== 'start') return `${body?.$case ?? 'nothing'} ${String(sequence)}`;
  return `start ${hex(body.value.attempt!.payload)}`;
}

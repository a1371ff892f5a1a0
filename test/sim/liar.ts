// A coordinator that is not honest.

import type { Directive } from '../../src/wire/index.js';
import type { Operation } from './script.js';

type LieOperation = Extract<Operation, { kind: 'lie' }>;

export class Liar {
  readonly #active = new Set<LieOperation>();

  constructor(readonly world: unknown) {}

  begin(operation: LieOperation): void {
    this.#active.add(operation);
  }

  end(operation: LieOperation): void {
    this.#active.delete(operation);
  }

  told(_silo: number, directive: Directive): readonly Directive[] {
    return [directive];
  }
}

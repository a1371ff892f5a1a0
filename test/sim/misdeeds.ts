// Silos that are not honest.

import type { Founded } from '../support/memory/founding.js';
import type { Operation } from './script.js';
import type { SimSilo } from './silo.js';

export function misbehave(silo: SimSilo, operation: Extract<Operation, { kind: 'misdeed' }>, _founded: Founded): void {
  if (operation.misdeed === 'silent') silo.tamper = (out) => (out.envelope.type === operation.type ? null : out);
}

// What the parts of the simulation know of each other.

import type { SiloId } from '../../src/base/index.js';
import type { Rejection, SiloState } from '../../src/protocol/index.js';
import type { Envelope } from '../../src/wire/index.js';

export interface SiloFace {
  readonly id: SiloId;
  readonly index: number;
  readonly state: SiloState;
}

export interface Outgoing {
  readonly envelope: Envelope;
  readonly ciphertexts: readonly Uint8Array[];
}

export type Answer =
  | { readonly kind: 'answered'; readonly receipt: Envelope | undefined }
  | { readonly kind: 'refused'; readonly rejection: Rejection };

/** A promise of the protocol does not hold. */
export class Broken extends Error {}

// What makes signed messages proof: values that stand under hashes which the messages name.

import type { OpenedDealers, OpenedKeys, OpenedShare } from '../wire/index.js';

/** What stood under hashes in the messages. */
export interface Exhibits {
  readonly keys?: OpenedKeys;
  readonly dealers?: OpenedDealers;
  readonly ciphertexts?: readonly Uint8Array[];
  readonly shares?: readonly OpenedShare[];
}

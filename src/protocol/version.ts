// Which protocol a program speaks. Told in the first message of each stream, both ways, before anything else is said.

import { demand } from './rejection.js';

/** Raised when older programs could no longer take part with newer ones (docs/operations.md, version skew). */
export const PROTOCOL_VERSION = 1;

/** Throws Refusal `message/protocol-version`. `theirs`: 0 when the other side named none. */
export function demandSameProtocol(theirs: number, who: 'agent' | 'coordinator'): void {
  const said = theirs === 0 ? 'none' : String(theirs);
  demand(
    theirs === PROTOCOL_VERSION,
    'message/protocol-version',
    `the ${who} speaks protocol version ${said}, this program version ${String(PROTOCOL_VERSION)}.`,
    'state',
  );
}

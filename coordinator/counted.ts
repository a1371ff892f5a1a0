// The same handlers, with the bytes of bulk streams counted.

import type { Metrics } from '../src/telemetry/index.js';
import type { SiloHandlers } from '../src/transport/index.js';

export function countedHandlers(handlers: SiloHandlers, metrics: Metrics): SiloHandlers {
  return {
    ...handlers,
    uploadMasked: (caller, target, chunks) =>
      handlers.uploadMasked(
        caller,
        target,
        counted(chunks, (bytes) => {
          metrics.received(bytes);
        }),
      ),
    getBlob: (caller, request) =>
      counted(handlers.getBlob(caller, request), (bytes) => {
        metrics.sent(bytes);
      }),
  };
}

async function* counted(
  pieces: AsyncIterable<Uint8Array>,
  count: (bytes: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of pieces) {
    count(piece.length);
    yield piece;
  }
}

// The same client, with the bytes of masked inputs counted.

import type { Metrics } from '../src/telemetry/index.js';
import type { SiloClient } from '../src/transport/index.js';

export function countedClient(client: SiloClient, metrics: Metrics): SiloClient {
  return {
    ...client,
    upload: (upload) =>
      client.upload({
        ...upload,
        read: (offset) => counted(upload.read(offset), metrics),
      }),
  };
}

async function* counted(
  pieces: AsyncIterable<Uint8Array>,
  metrics: Metrics,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of pieces) {
    metrics.sent(piece.length);
    yield piece;
  }
}

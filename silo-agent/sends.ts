// Failpoints around everything that an agent sends: its own messages, its upload, and its questions.

import { failpoint } from '../src/system/index.js';
import type { SiloClient } from '../src/transport/index.js';

/** The same client, with `silo.before-send` and `silo.after-send` around each of its calls, by what is sent. */
export function tracedClient(client: SiloClient): SiloClient {
  return {
    watch: async (cursor, onDirective, signal) => {
      failpoint('silo.before-send', 'watch');
      await client.watch(
        cursor,
        async (directive) => {
          // The first is the heartbeat's successor: the question has arrived.
          failpoint('silo.after-send', 'watch');
          await onDirective(directive);
        },
        signal,
      );
    },
    submit: (request, signal) => around(request.envelope?.type ?? 'nothing', () => client.submit(request, signal)),
    uploadStatus: (request, signal) => around('upload-status', () => client.uploadStatus(request, signal)),
    upload: (upload) =>
      around('upload', () => client.upload({ ...upload, read: (offset) => pieces(upload.read(offset)) })),
    getBlob: async function* (ref, signal) {
      failpoint('silo.before-send', 'get-blob');
      yield* client.getBlob(ref, signal);
      failpoint('silo.after-send', 'get-blob');
    },
    readLog: async function* (from, to, signal) {
      failpoint('silo.before-send', 'read-log');
      yield* client.readLog(from, to, signal);
      failpoint('silo.after-send', 'read-log');
    },
    proveLog: (from, to, signal) => around('prove-log', () => client.proveLog(from, to, signal)),
    replaceCertificate: (tls) => {
      client.replaceCertificate(tls);
    },
    close: () => {
      client.close();
    },
  };
}

async function around<T>(what: string, send: () => Promise<T>): Promise<T> {
  failpoint('silo.before-send', what);
  const answer = await send();
  failpoint('silo.after-send', what);
  return answer;
}

/** Between two pieces, the first has been handed to the connection and may be anywhere. */
async function* pieces(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of source) {
    failpoint('silo.before-send', 'upload-piece');
    yield piece;
    failpoint('silo.after-send', 'upload-piece');
  }
}

// Silos of a plain round, several to a process as in the load test: upload the vector as float32, wait for the sum, fetch it.
// Arguments: founded folder, port, length, rounds, names of the silos.

import { once } from 'node:events';
import { join } from 'node:path';
import { readBundle } from '../../src/pki/index.js';
import { sha256 } from '../../src/crypto/index.js';
import { systemClock, systemRng } from '../../src/system/index.js';
import { connectSilo } from '../../src/transport/index.js';

/** Bytes of one piece of an upload. */
const CHUNK = 1024 ** 2;

const [folder = '', port = '', lengthText = '', total = '', ...names] = process.argv.slice(2);
const length = Number(lengthText);
const vector = new Float32Array(length).fill(1);
const bytes = new Uint8Array(vector.buffer);
const sum = new Uint8Array(new Float32Array(length).fill(Number(total)).buffer);
const ref = { sha256: sha256(sum), size: BigInt(sum.length) };
const clients = await Promise.all(
  names.map(async (silo) =>
    connectSilo({
      address: `localhost:${port}`,
      tls: await readBundle(join(folder, 'secrets', `${silo}.tls.pem`)),
      consortium: 'load',
      clock: systemClock,
      rng: systemRng,
      agentVersion: 'bench',
    }),
  ),
);
process.send?.('ready');
for (;;) {
  const [message] = (await once(process, 'message')) as [number];
  if (message === 0) break;
  await Promise.all(
    clients.map(async (client) => {
      await client.upload({
        rid: new Uint8Array(32),
        attempt: message,
        totalBytes: bytes.length,
        read: async function* (offset) {
          for (let at = offset; at < bytes.length; at += CHUNK)
            yield await Promise.resolve(bytes.subarray(at, at + CHUNK));
        },
      });
      const envelope = { type: String(message), signer: '', payload: new Uint8Array(), signature: new Uint8Array() };
      await client.submit({ envelope, ciphertexts: [] });
      let received = 0;
      for await (const piece of client.getBlob(ref)) received += piece.length;
      if (received !== sum.length) throw new Error('the plain sum is short');
    }),
  );
  process.send?.('done');
}
for (const client of clients) client.close();
process.exit(0);

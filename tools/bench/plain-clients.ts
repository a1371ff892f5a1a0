// Silos of a plain round, several to a process as in the load test: the load test's stand-in for training, the change up as float32, then
// the next model from the coordinator. Arguments: founded folder, port, length, names of the silos.

import { once } from 'node:events';
import { join } from 'node:path';
import { readBundle } from '../../src/pki/index.js';
import { systemClock, systemRng } from '../../src/system/index.js';
import { connectSilo } from '../../src/transport/index.js';
import { inventedWork } from '../load/model.js';

/** Bytes of one piece of an upload. */
const CHUNK = 1024 ** 2;

const [folder = '', port = '', lengthText = '', ...names] = process.argv.slice(2);
const length = Number(lengthText);
const clients = await Promise.all(
  names.map(async (silo) => ({
    parameters: new Float32Array(length),
    trainer: await inventedWork(silo).createTrainer({} as never),
    client: connectSilo({
      address: `localhost:${port}`,
      tls: await readBundle(join(folder, 'secrets', `${silo}.tls.pem`)),
      consortium: 'load',
      clock: systemClock,
      rng: systemRng,
      agentVersion: 'bench',
    }),
  })),
);
process.send?.('ready');
for (;;) {
  const [message] = (await once(process, 'message')) as [number];
  if (message === 0) break;
  await Promise.all(
    clients.map(async ({ client, trainer, parameters }) => {
      // The stand-in looks at nothing else.
      const trained = (await trainer.train({ parameters } as never)).parameters;
      const delta = new Float32Array(length);
      for (let i = 0; i < length; i++) delta[i] = (trained[i] ?? 0) - (parameters[i] ?? 0);
      const bytes = new Uint8Array(delta.buffer);
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
      const { receipt } = await client.submit({ envelope, ciphertexts: [] });
      const into = new Uint8Array(parameters.buffer);
      let received = 0;
      const ref = { sha256: receipt?.payload ?? new Uint8Array(), size: BigInt(into.length) };
      for await (const piece of client.getBlob(ref)) {
        into.set(piece, received);
        received += piece.length;
      }
      if (received !== into.length) throw new Error('the plain model is short');
    }),
  );
  process.send?.('done');
}
for (const { client } of clients) client.close();
process.exit(0);

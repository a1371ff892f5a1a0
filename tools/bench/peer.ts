// The other end of the transport's measurements, in a process of its own: a gRPC server with the product's settings whose uploads are
// thrown away or, for a plain round, spooled, added up and given back; and a bare TLS server. Arguments: founded folder, plain clients.

import { createServer } from 'node:tls';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { readBundle } from '../../src/pki/index.js';
import { BlobStore, Spool } from '../../src/storage/index.js';
import { hex, LIMITS } from '../../src/base/index.js';
import { sha256 } from '../../src/crypto/index.js';
import { systemClock } from '../../src/system/index.js';
import { startServer, type AdminHandlers, type SiloHandlers } from '../../src/transport/index.js';

/** Attempt number of uploads that nobody keeps. */
export const DISCARDED = 0;

const [folder = '', clients = '0'] = process.argv.slice(2);
const bundle = await readBundle(join(folder, 'secrets', 'coordinator.tls.pem'));
const spool = await Spool.open(join(folder, 'plain-uploads'), { totalBytes: 1e12 });
const blobs = await BlobStore.open(join(folder, 'plain-blobs'));
const refused = (): never => {
  throw new Error('not part of the measurement');
};
let arrived: string[] = [];
let waiting: (() => void)[] = [];
let model = new Float32Array();
let modelHash = new Uint8Array() as Uint8Array;

const silo: SiloHandlers = {
  // The one call that a silo's connection stays open for has nothing to say here.
  watch: refused,
  readLog: refused,
  proveLog: refused,
  uploadStatus: () => Promise.resolve({ durableBytes: 0n }),
  uploadMasked: async (caller, target, chunks) => {
    let bytes = 0;
    if (target.attempt === DISCARDED) {
      for await (const chunk of chunks) bytes += chunk.length;
      return { durableBytes: BigInt(bytes) };
    }
    const upload = await spool.upload(`${caller}.${String(target.attempt)}`);
    for await (const chunk of chunks) {
      await upload.append(bytes, chunk);
      bytes += chunk.length;
    }
    return { durableBytes: BigInt(await upload.sync()) };
  },
  submit: async (caller, { envelope }) => {
    arrived.push(`${caller}.${envelope?.type ?? ''}`);
    const done = new Promise<void>((resolve) => waiting.push(resolve));
    if (arrived.length === Number(clients)) await finish();
    await done;
    return { receipt: { type: '', signer: '', payload: modelHash, signature: new Uint8Array() } };
  },
  getBlob: (_caller, request) => blobs.readChunks(hex(request.sha256), LIMITS.chunkBytes, Number(request.offset)),
};

/** Adds up what arrived as float32, moves the model by the mean, stores it durably, and lets everybody fetch it. */
async function finish(): Promise<void> {
  let sum = new Float64Array();
  for (const name of arrived) {
    const upload = await spool.upload(name);
    if (sum.length === 0) sum = new Float64Array(upload.length / 4);
    let at = 0;
    for await (const bytes of upload.readChunks(LIMITS.chunkBytes)) {
      const values = new Float32Array(bytes.buffer, 0, bytes.length / 4);
      // `at + k` is below the length of both.
      for (let k = 0; k < values.length; k++) sum[at + k] = (sum[at + k] as number) + (values[k] as number);
      at += values.length;
    }
    await spool.delete(name);
  }
  if (model.length === 0) model = new Float32Array(sum.length);
  // All have the same length.
  for (let k = 0; k < sum.length; k++) model[k] = (model[k] as number) + (sum[k] as number) / arrived.length;
  const bytes = new Uint8Array(model.buffer);
  modelHash = sha256(bytes);
  await blobs.put(hex(modelHash), bytes);
  const all = waiting;
  [arrived, waiting] = [[], []];
  for (const resolve of all) resolve();
}

const admin = new Proxy({}, { get: () => refused }) as AdminHandlers;
const server = await startServer({
  host: '127.0.0.1',
  port: 0,
  tls: bundle,
  consortium: 'load',
  clock: systemClock,
  silo,
  admin,
  onInternalError: (error) => {
    console.error(error);
  },
});
const bare = createServer(
  {
    key: bundle.privateKeyPem,
    cert: bundle.chainPem,
    ca: bundle.authorityPem,
    requestCert: true,
    minVersion: 'TLSv1.3',
  },
  (socket) => {
    let bytes = 0;
    socket.on('data', (data: Buffer) => {
      bytes += data.length;
    });
    // The sender has sent all and waits to hear that it is here.
    socket.on('end', () => socket.end(String(bytes)));
    socket.on('error', () => undefined);
  },
);
bare.listen(0, '127.0.0.1');
await once(bare, 'listening');
process.send?.({ grpc: server.port, tls: (bare.address() as AddressInfo).port });
await once(process, 'SIGTERM');
process.exit(0);

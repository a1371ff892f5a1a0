// What one peer can make the coordinator spend, and that the others are none the worse.

import { connect, type Socket } from 'node:net';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { LIMITS } from '../../../src/base/index.js';
import { SubmitRequest, UploadChunk, UploadStatusRequest } from '../../../src/wire/index.js';
import type { SiloClient, TlsMaterial } from '../../../src/transport/index.js';
import { FLOW_CONTROL_WINDOW_BYTES } from '../../../src/transport/limits.js';
import { dial, framed, open, outcomeOf, rawCall } from '../../support/raw-call.js';
import { relayTo } from '../../support/relay.js';
import { serve, type Served, type ServeOptions, silo, TestAuthority, until } from '../../support/transport.js';

const RESOURCE_EXHAUSTED = 8;
const INVALID_ARGUMENT = 3;
const SUBMIT = '/veilsum.v1.SiloService/Submit';
const STATUS = '/veilsum.v1.SiloService/UploadStatus';
const UPLOAD = '/veilsum.v1.SiloService/UploadMasked';
const asked = UploadStatusRequest.encode({ rid: new Uint8Array(32), attempt: 1 }).finish();

let authority: TestAuthority;
let alpha: TlsMaterial;
let beta: TlsMaterial;
beforeAll(async () => {
  authority = await TestAuthority.create();
  alpha = await authority.member('silo', 'alpha');
  beta = await authority.member('silo', 'beta');
});

const answering = {
  submit: () => Promise.resolve({ receipt: undefined }),
  uploadStatus: () => Promise.resolve({ durableBytes: 1n }),
};

function rawSocket(port: number): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      resolve(socket);
    });
    socket.on('error', () => undefined);
    onTestFinished(() => {
      socket.destroy();
    });
  });
}

async function servesOthers(server: Served): Promise<void> {
  const other = silo(server.address, beta);
  expect(await other.uploadStatus({ rid: new Uint8Array(32), attempt: 1 })).toEqual({ durableBytes: 1n });
}

describe('messages', () => {
  it('are refused when they are too large, and the connection serves on', async () => {
    const server = await serve(authority, { silo: answering });
    const session = dial(server.address, { tls: alpha });
    const large = SubmitRequest.encode({
      envelope: undefined,
      ciphertexts: [new Uint8Array(LIMITS.messageBytes)],
    }).finish();
    expect((await rawCall(session, SUBMIT, large)).status).toBe(RESOURCE_EXHAUSTED);
    expect((await rawCall(session, STATUS, asked)).status).toBe(0);
    await servesOthers(server);
    const client: SiloClient = silo(server.address, alpha, { limits: { messageBytes: 2 * large.length } });
    await expect(
      client.submit({ envelope: undefined, ciphertexts: [new Uint8Array(LIMITS.messageBytes)] }),
    ).rejects.toMatchObject({ code: 'transport/limit', category: 'limit' });
  });

  it('are refused when they announce more than may come', async () => {
    const server = await serve(authority, { silo: answering });
    const stream = open(dial(server.address, { tls: alpha }), SUBMIT);
    const outcome = outcomeOf(stream);
    stream.write(Buffer.from([0, 0xff, 0xff, 0xff, 0xff]));
    expect((await outcome).status).toBe(RESOURCE_EXHAUSTED);
    await servesOthers(server);
  });

  it('are refused as content when they do not parse', async () => {
    const server = await serve(authority, { silo: answering });
    const outcome = await rawCall(dial(server.address, { tls: alpha }), SUBMIT, Uint8Array.of(10, 200, 1));
    expect(outcome).toMatchObject({ status: INVALID_ARGUMENT, code: 'transport/malformed' });
    expect(server.internalErrors).toEqual([]);
  });

  it('of an upload have one target, in the first, and chunks of 1 byte to 1 MiB', async () => {
    const server = await serve(authority, {
      silo: {
        ...answering,
        async uploadMasked(_caller, _target, chunks) {
          let sum = 0;
          for await (const chunk of chunks) sum += chunk.length;
          return { durableBytes: BigInt(sum) };
        },
      },
    });
    const target = { rid: new Uint8Array(32), attempt: 1, offset: 0n };
    const data = new Uint8Array(LIMITS.chunkBytes);
    const upload = async (...chunks: UploadChunk[]) => {
      const stream = open(dial(server.address, { tls: alpha }), UPLOAD);
      const outcome = outcomeOf(stream);
      for (const chunk of chunks) stream.write(framed(UploadChunk.encode(chunk).finish()));
      stream.end();
      const { status, code } = await outcome;
      return code ?? status;
    };
    expect(await upload({ target, data }, { target: undefined, data })).toBe(0);
    expect(await upload()).toBe('transport/bad-upload');
    expect(await upload({ target: undefined, data })).toBe('transport/bad-upload');
    expect(await upload({ target, data }, { target, data })).toBe('transport/bad-upload');
    expect(await upload({ target, data }, { target: undefined, data: new Uint8Array(0) })).toBe('transport/bad-upload');
    expect(await upload({ target, data: new Uint8Array(LIMITS.chunkBytes + 1) })).toBe('transport/too-large');
  });
});

describe('calls', () => {
  /** A server whose submits wait until they are let go. */
  async function waiting(options: ServeOptions) {
    const held: (() => void)[] = [];
    const server = await serve(authority, {
      ...options,
      silo: {
        ...answering,
        submit: () =>
          new Promise((resolve) => {
            held.push(() => {
              resolve({ receipt: undefined });
            });
          }),
      },
    });
    return { server, held };
  }

  it('of one identity are refused when there are too many, over all its connections', async () => {
    const { server, held } = await waiting({ limits: { callsPerIdentity: 4 } });
    const sessions = [dial(server.address, { tls: alpha }), dial(server.address, { tls: alpha })];
    const first = [0, 1, 2, 3].map((n) => rawCall(sessions[n % 2]!, SUBMIT));
    await until(() => held.length === 4);
    for (const session of sessions)
      expect(await rawCall(session, STATUS, asked)).toMatchObject({
        status: RESOURCE_EXHAUSTED,
        code: 'transport/too-many-calls',
      });
    await servesOthers(server);
    for (const letGo of held) letGo();
    for (const outcome of await Promise.all(first)) expect(outcome.status).toBe(0);
    // Places are given back, also by those who leave without waiting.
    for (let round = 0; round < 10; round++) {
      const left = open(sessions[0]!, SUBMIT);
      const over = outcomeOf(left);
      left.end(framed(new Uint8Array(0)));
      await until(() => held.length === 5 + round);
      left.close(8);
      await over;
      expect((await rawCall(sessions[1]!, STATUS, asked)).status).toBe(0);
    }
  });

  it('over one connection are bounded by the streams it may have', async () => {
    const { server, held } = await waiting({ limits: { streamsPerConnection: 3, callsPerIdentity: 100 } });
    const session = dial(server.address, { tls: alpha });
    await new Promise((resolve) => session.once('remoteSettings', resolve));
    expect(session.remoteSettings.maxConcurrentStreams).toBe(3);
    const all = [0, 1, 2, 3, 4].map(() => rawCall(session, SUBMIT));
    await until(() => held.length === 3);
    await servesOthers(server);
    expect(held).toHaveLength(3);
    held[0]!();
    held[1]!();
    await until(() => held.length === 5);
    for (const letGo of held) letGo();
    for (const outcome of await Promise.all(all)) expect(outcome.status).toBe(0);
  });

  it('end when their time is over', async () => {
    const { server } = await waiting({ limits: { callMs: { unary: 30, upload: 30, download: 30 } } });
    const outcome = await rawCall(dial(server.address, { tls: alpha }), SUBMIT);
    expect(outcome.code).toBe('transport/deadline');
  });

  it('that upload end when nothing comes for too long', async () => {
    const server = await serve(authority, {
      silo: {
        async uploadMasked(_caller, _target, chunks) {
          for await (const _chunk of chunks);
          return { durableBytes: 0n };
        },
      },
      limits: { stallMs: 30 },
    });
    const stream = open(dial(server.address, { tls: alpha }), UPLOAD);
    const target = { rid: new Uint8Array(32), attempt: 1, offset: 0n };
    stream.write(framed(UploadChunk.encode({ target, data: new Uint8Array(10) }).finish()));
    expect((await outcomeOf(stream)).code).toBe('transport/silent');
  });

  it('that upload are read no further ahead of their handler than a few chunks', async () => {
    let taken = 0;
    let go = (): void => undefined;
    const gone = new Promise<void>((resolve) => {
      go = resolve;
    });
    const server = await serve(authority, {
      silo: {
        uploadStatus: () => Promise.resolve({ durableBytes: 0n }),
        async uploadMasked(_caller, _target, chunks) {
          let sum = 0;
          for await (const chunk of chunks) {
            taken += 1;
            sum += chunk.length;
            await gone;
          }
          return { durableBytes: BigInt(sum) };
        },
      },
    });
    let read = 0;
    const chunks = 60;
    // The relay counts what flow control has let out, wherever it now lies.
    const relay = await relayTo(server.port);
    const client = silo(relay.address, alpha);
    const uploading = client.upload({
      rid: new Uint8Array(32),
      attempt: 1,
      totalBytes: chunks * LIMITS.chunkBytes,
      async *read() {
        for (; read < chunks; read++) {
          yield new Uint8Array(LIMITS.chunkBytes);
          await Promise.resolve();
        }
      },
    });
    // The window fills, and what was read ahead: two chunks unread, one held back, one coming in. Then everything stands still.
    await until(() => relay.sent() >= FLOW_CONTROL_WINDOW_BYTES - LIMITS.chunkBytes);
    for (let turn = 0; turn < 500; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(taken).toBe(1);
    expect(relay.sent()).toBeLessThan(FLOW_CONTROL_WINDOW_BYTES + 5 * LIMITS.chunkBytes);
    go();
    await uploading;
    expect(taken).toBe(chunks);
  });
});

describe('connections', () => {
  it('of one identity are cut when there are too many', async () => {
    const server = await serve(authority, { silo: answering, limits: { connectionsPerIdentity: 2 } });
    const [first, second] = [0, 1].map(() => dial(server.address, { tls: alpha }));
    expect((await rawCall(first!, STATUS, asked)).status).toBe(0);
    expect((await rawCall(second!, STATUS, asked)).status).toBe(0);
    expect((await rawCall(dial(server.address, { tls: alpha }), STATUS, asked)).status).toBe('broken');
    await servesOthers(server);
    const over = new Promise((resolve) => first!.once('close', resolve));
    first!.close();
    await over;
    let status: number | 'broken' = 'broken';
    for (let tries = 0; tries < 100 && status === 'broken'; tries++)
      ({ status } = await rawCall(dial(server.address, { tls: alpha }), STATUS, asked));
    expect(status).toBe(0);
  });

  it('that never finish their handshake are cut, the oldest first, and never take the places of others', async () => {
    const server = await serve(authority, { silo: answering, limits: { handshakesMax: 3, connectionsMax: 20 } });
    const first = await Promise.all(Array.from({ length: 3 }, () => rawSocket(server.port)));
    expect(first.map(({ destroyed }) => destroyed)).toEqual([false, false, false]);
    const more = await Promise.all(Array.from({ length: 30 }, () => rawSocket(server.port)));
    await until(() => [...first, ...more].filter(({ destroyed }) => !destroyed).length === 3);
    await servesOthers(server);
    expect(first.every(({ destroyed }) => destroyed)).toBe(true);
  });

  it('are renewed after their time, and calls go on over the next', async () => {
    const server = await serve(authority, {
      silo: answering,
      limits: { connectionAgeMs: 50, connectionAgeGraceMs: 1000 },
    });
    const session = dial(server.address, { tls: alpha });
    const over = new Promise((resolve) => session.once('close', resolve));
    expect((await rawCall(session, STATUS, asked)).status).toBe(0);
    await over;
    const client = silo(server.address, alpha);
    for (let call = 0; call < 30; call++)
      expect(await client.uploadStatus({ rid: new Uint8Array(32), attempt: 1 })).toEqual({ durableBytes: 1n });
  });
});

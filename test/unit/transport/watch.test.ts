// The stream that everything hangs on: it must come back, stand still without cost, and say when the other end is gone.

import { BadLine } from '../../support/e2e/bad-line.js';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { CodedError } from '../../../src/base/index.js';
import { PROTOCOL_VERSION } from '../../../src/protocol/index.js';
import { Directive, WatchRequest } from '../../../src/wire/index.js';
import type { SiloHandlers, TlsMaterial } from '../../../src/transport/index.js';
import { dial, framed, open } from '../../support/raw-call.js';
import { relayTo } from '../../support/relay.js';
import { serve, silo, TestAuthority, until } from '../../support/transport.js';

let authority: TestAuthority;
let alpha: TlsMaterial;
beforeAll(async () => {
  authority = await TestAuthority.create();
  alpha = await authority.member('silo', 'alpha');
});

const aborted = (signal: AbortSignal): Promise<unknown> =>
  new Promise((resolve) => {
    signal.addEventListener('abort', resolve);
  });

const closed = (sequence: bigint, reason = ''): Directive => ({
  sequence,
  body: { $case: 'jobClosed', value: { jobId: 'job-1', reason, order: undefined } },
});

/** Level-triggered: what is wanted now, and then silence. */
const wanting = (sequence: bigint): Pick<SiloHandlers, 'watch'> => ({
  async *watch(_caller, _request, signal) {
    yield closed(sequence);
    await aborted(signal);
  },
});

describe('a watch', () => {
  it('comes back after the coordinator was restarted, with its cursor', async () => {
    const cursors: bigint[] = [];
    const watch: SiloHandlers['watch'] = async function* (_caller, request, signal) {
      cursors.push(request.cursor);
      yield closed(request.cursor + 1n);
      await aborted(signal);
    };
    const first = await serve(authority, { silo: { watch } });
    const seen: bigint[] = [];
    const leave = new AbortController();
    const breaks: string[] = [];
    const client = silo(first.address, alpha, { onBreak: (error) => breaks.push(error.category) });
    const watching = client.watch(
      () => seen.at(-1) ?? 0n,
      (directive) => {
        seen.push(directive.sequence);
        return Promise.resolve();
      },
      leave.signal,
    );
    await until(() => seen.length === 1);
    await first.close(1000);
    await until(() => breaks.length > 2);
    await serve(authority, { silo: { watch }, port: first.port });
    await until(() => seen.length === 2);
    leave.abort();
    await watching;
    expect(seen).toEqual([1n, 2n]);
    expect(cursors).toEqual([0n, 1n]);
    expect(new Set(breaks)).toEqual(new Set(['unavailable']));
  });

  it('comes back after its connection was cut, again and again', async () => {
    const server = await serve(authority, { silo: wanting(3n) });
    const relay = await relayTo(server.port);
    const client = silo(relay.address, alpha);
    const leave = new AbortController();
    let seen = 0;
    const watching = client.watch(
      () => 0n,
      () => {
        seen += 1;
        if (seen === 6) leave.abort();
        else relay.cut();
        return Promise.resolve();
      },
      leave.signal,
    );
    await watching;
    expect(relay.connections()).toBe(6);
  });

  it('keeps trying through a refusal, and says so', async () => {
    let calls = 0;
    const server = await serve(authority, {
      silo: {
        watch: (...call) => {
          calls += 1;
          if (calls <= 15) throw new CodedError('room/no', 'not you', { category: 'membership' });
          return wanting(1n).watch(...call);
        },
      },
    });
    const breaks: string[] = [];
    const client = silo(server.address, alpha, {
      onBreak: (error) => breaks.push(error.code),
      limits: { triesMax: 2 },
    });
    const leave = new AbortController();
    await client.watch(
      () => 0n,
      () => {
        leave.abort();
        return Promise.resolve();
      },
      leave.signal,
    );
    expect(breaks).toEqual(Array(15).fill('room/no'));
  });

  it('ends with what its directive’s handler throws', async () => {
    const server = await serve(authority, { silo: wanting(1n) });
    const failing = silo(server.address, alpha).watch(
      () => 0n,
      () => Promise.reject(new Error('disk full')),
      new AbortController().signal,
    );
    await expect(failing).rejects.toThrow('disk full');
  });

  it('is given up and dialled anew when it is silent for too long', async () => {
    let calls = 0;
    const server = await serve(authority, {
      silo: {
        watch: (...call) => {
          calls += 1;
          return wanting(BigInt(calls)).watch(...call);
        },
      },
      limits: { heartbeatMs: 3_600_000 },
    });
    const breaks: string[] = [];
    const client = silo(server.address, alpha, {
      onBreak: (error) => breaks.push(error.code),
      limits: { silenceMs: 50 },
    });
    const leave = new AbortController();
    await client.watch(
      () => 0n,
      (directive) => {
        if (directive.sequence >= 3n) leave.abort();
        return Promise.resolve();
      },
      leave.signal,
    );
    expect(breaks.length).toBeGreaterThanOrEqual(2);
    expect(new Set(breaks)).toEqual(new Set(['transport/silent']));
  });

  it('dials anew when its connection was swallowed in the handshake', async () => {
    const server = await serve(authority, { silo: wanting(1n) });
    const { line, port } = await BadLine.to(() => Number(server.address.split(':')[1]));
    onTestFinished(() => line.close());
    // What a firewall does that drops everything: the connection is there, and nothing comes.
    line.set({ kind: 'silent' });
    const breaks: string[] = [];
    const client = silo(`localhost:${port}`, alpha, {
      onBreak: (error) => {
        breaks.push(error.code);
        // What is held is never let through: only a new connection can help.
        if (breaks.length === 2) line.forget();
      },
      limits: { silenceMs: 300 },
    });
    const leave = new AbortController();
    await client.watch(
      () => 0n,
      () => {
        leave.abort();
        return Promise.resolve();
      },
      leave.signal,
    );
    expect(breaks).toContain('transport/silent');
    expect(line.connections).toBeGreaterThan(1);
  });

  it('is kept alive by heartbeats, which are not handed on', async () => {
    const server = await serve(authority, { silo: wanting(1n), limits: { heartbeatMs: 5 } });
    const session = dial(server.address, { tls: alpha });
    const stream = open(session, '/veilsum.v1.SiloService/Watch');
    stream.end(
      framed(WatchRequest.encode({ cursor: 0n, agentVersion: 'raw', protocolVersion: PROTOCOL_VERSION }).finish()),
    );
    const beat = framed(
      Directive.encode({
        sequence: 0n,
        body: { $case: 'heartbeat', value: { protocolVersion: PROTOCOL_VERSION } },
      }).finish(),
    );
    let heard = Buffer.alloc(0);
    stream.on('data', (data: Buffer) => {
      heard = Buffer.concat([heard, data]);
    });
    await until(() => heard.includes(Buffer.concat([beat, beat, beat])));

    const seen: (string | undefined)[] = [];
    const leave = new AbortController();
    const breaks: string[] = [];
    const client = silo(server.address, alpha, { onBreak: (error) => breaks.push(error.code) });
    const watching = client.watch(
      () => 0n,
      (directive) => Promise.resolve(void seen.push(directive.body?.$case)),
      leave.signal,
    );
    await until(() => heard.length > 200 * beat.length);
    leave.abort();
    await watching;
    expect(seen).toEqual(['jobClosed']);
    expect(breaks).toEqual([]);
  });

  it('goes no further when the coordinator speaks another version of the protocol, and names both', async () => {
    const server = await serve(authority, {
      silo: {
        async *watch(_caller, { protocolVersion }, signal) {
          expect(protocolVersion).toBe(PROTOCOL_VERSION);
          yield { sequence: 0n, body: { $case: 'heartbeat', value: { protocolVersion: PROTOCOL_VERSION + 1 } } };
          yield closed(1n);
          await aborted(signal);
        },
      },
    });
    const leave = new AbortController();
    const breaks: string[] = [];
    const seen: Directive[] = [];
    const client = silo(server.address, alpha, {
      onBreak: ({ code, message }) => {
        breaks.push(`${code}: ${message}`);
        leave.abort();
      },
    });
    await client.watch(
      () => 0n,
      (directive) => Promise.resolve(void seen.push(directive)),
      leave.signal,
    );
    expect(breaks).toEqual([
      'message/protocol-version: the coordinator speaks protocol version 2, this program version 1.',
    ]);
    expect(seen).toEqual([]);
  });

  it('that is never read is not filled', async () => {
    const SIZE = 64 * 1024;
    let made = 0;
    const server = await serve(authority, {
      silo: {
        async *watch() {
          for (; made < 10_000; made++) {
            yield closed(BigInt(made), 'x'.repeat(SIZE));
            await Promise.resolve();
          }
        },
      },
    });
    // A window of 64 KiB, of which nothing is ever given back.
    const session = dial(server.address, { tls: alpha });
    const stream = open(session, '/veilsum.v1.SiloService/Watch');
    stream.end(
      framed(WatchRequest.encode({ cursor: 0n, agentVersion: 'raw', protocolVersion: PROTOCOL_VERSION }).finish()),
    );
    stream.pause();
    await until(() => made >= 2);
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
    // One in the window, two under way, one being made.
    expect(made).toBeLessThanOrEqual(5);
    // The control: it was the reader that held it up.
    stream.resume();
    await until(() => made >= 50);
  });

  it('that takes nothing for too long is ended', async () => {
    let ended = false;
    const server = await serve(authority, {
      silo: {
        async *watch() {
          try {
            while (true) {
              yield closed(1n, 'x'.repeat(64 * 1024));
              await Promise.resolve();
            }
          } finally {
            ended = true;
          }
        },
      },
      limits: { stallMs: 50 },
    });
    const stream = open(dial(server.address, { tls: alpha }), '/veilsum.v1.SiloService/Watch');
    stream.end(
      framed(WatchRequest.encode({ cursor: 0n, agentVersion: 'raw', protocolVersion: PROTOCOL_VERSION }).finish()),
    );
    stream.pause();
    await until(() => ended);
  });
});

// An end in good order: calls under way finish within a bound, watches are sent home, and the port is free afterwards.

import { credentials as grpcCredentials, makeGenericClientConstructor } from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { connect } from 'node:net';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { TlsMaterial } from '../../../src/transport/index.js';
import { dial, rawCall } from '../../support/raw-call.js';
import { serve, silo, TestAuthority, until } from '../../support/transport.js';

const SUBMIT = '/veilsum.v1.SiloService/Submit';

let authority: TestAuthority;
let alpha: TlsMaterial;
beforeAll(async () => {
  authority = await TestAuthority.create();
  alpha = await authority.member('silo', 'alpha');
});

/** One submit that waits, and what lets it go. */
async function withCallUnderWay() {
  let letGo: (() => void) | undefined;
  const server = await serve(authority, {
    silo: {
      submit: () =>
        new Promise((resolve) => {
          letGo = () => {
            resolve({ receipt: undefined });
          };
        }),
      async *watch(_caller, _request, signal) {
        yield { sequence: 1n, body: undefined };
        await new Promise((resolve) => {
          signal.addEventListener('abort', resolve);
        });
      },
    },
  });
  const session = dial(server.address, { tls: alpha });
  const outcome = rawCall(session, SUBMIT);
  await until(() => letGo !== undefined);
  return { server, session, outcome, letGo: () => letGo?.() };
}

describe('closing', () => {
  it('lets a call finish, and takes no other', async () => {
    const { server, outcome, letGo } = await withCallUnderWay();
    const closing = server.close(60_000);
    const late = silo(server.address, alpha, { limits: { triesMax: 2 } });
    await expect(late.submit({ envelope: undefined, ciphertexts: [] })).rejects.toMatchObject({
      category: 'unavailable',
    });
    letGo();
    expect((await outcome).status).toBe(0);
    await closing;
  });

  it('cuts a call that does not finish in time', async () => {
    const { server, outcome } = await withCallUnderWay();
    await server.close(20);
    expect((await outcome).status).not.toBe(0);
  });

  it('sends watches home at once, with a word', async () => {
    const { server, letGo } = await withCallUnderWay();
    const breaks: string[] = [];
    const leave = new AbortController();
    let seen = 0;
    const client = silo(server.address, alpha, { onBreak: (error) => breaks.push(error.code) });
    const watching = client.watch(
      () => 0n,
      () => Promise.resolve(void (seen += 1)),
      leave.signal,
    );
    await until(() => seen === 1);
    const closing = server.close(60_000);
    await until(() => breaks.length > 0);
    expect(breaks[0]).toBe('transport/closing');
    leave.abort();
    await watching;
    letGo();
    await closing;
  });

  it('does not wait for those who never finish their handshake', async () => {
    const server = await serve(authority);
    const idle = connect(server.port, '127.0.0.1');
    idle.on('error', () => undefined);
    await new Promise((resolve) => idle.once('connect', resolve));
    const gone = new Promise((resolve) => idle.once('close', resolve));
    await server.close(20);
    await gone;
  });

  it('frees the port, and says so when one is taken', async () => {
    const first = await serve(authority);
    await expect(serve(authority, { port: first.port })).rejects.toMatchObject({ code: 'transport/no-address' });
    await first.close(0);
    const second = await serve(authority, { port: first.port });
    expect(second.port).toBe(first.port);
  });
});

describe('grpc.health.v1', () => {
  it('answers every member, by any client', async () => {
    const server = await serve(authority);
    const Health = makeGenericClientConstructor(healthService, 'Health');
    const client = new Health(
      server.address,
      grpcCredentials.createSsl(
        Buffer.from(alpha.authorityPem),
        Buffer.from(alpha.privateKeyPem),
        Buffer.from(alpha.chainPem),
      ),
    );
    onTestFinished(() => {
      client.close();
    });
    const check = client['check'] as unknown as (
      request: { service: string },
      callback: (error: Error | null, answer?: { status: string }) => void,
    ) => void;
    for (const service of ['', 'veilsum.v1.SiloService', 'veilsum.v1.AdminService']) {
      const answer = await new Promise((resolve, reject) => {
        check.call(client, { service }, (error, value) => {
          if (error === null) resolve(value);
          else reject(error);
        });
      });
      expect(answer).toEqual({ status: 'SERVING' });
    }
  });
});

// What doctor says of the way to a coordinator that behaves oddly after it has taken the certificate: that step stays well.

import { createSecureServer, type Http2SecureServer, type Http2Session, type ServerHttp2Stream } from 'node:http2';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeAll, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import type { Proxy } from '../../../src/network/index.js';
import { checkWay } from '../../../src/upkeep/index.js';
import { CONSORTIUM, TestAuthority } from '../../support/transport.js';

const STEP_MS = 10_000;
let authority: TestAuthority;

beforeAll(async () => {
  authority = await TestAuthority.create();
});

beforeEach(() => {
  // Nobody sleeps here: what a step waits for passes when a test says so.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});

afterEach(() => {
  vi.useRealTimers();
});

interface Odd {
  readonly session?: (session: Http2Session) => void;
  readonly stream?: (stream: ServerHttp2Stream, breakOff: () => void) => void;
}

/** The states of all steps by name, with a coordinator that answers the question for the time like this. */
async function statesWith({ session, stream }: Odd, clock = true): Promise<string[]> {
  const { chainPem, authorityPem, privateKeyPem } = await authority.member('coordinator', 'coordinator');
  const server: Http2SecureServer = createSecureServer({
    cert: chainPem,
    key: privateKeyPem,
    ca: authorityPem,
    requestCert: true,
    minVersion: 'TLSv1.3',
  });
  const sessions = new Set<Http2Session>();
  const sockets = new Set<Socket>();
  server.on('session', (one) => {
    sessions.add(one);
    one.on('error', () => undefined);
    session?.(one);
  });
  server.on('stream', (one) => {
    one.on('error', () => undefined);
    stream?.(one, () => {
      for (const socket of sockets) socket.destroy();
    });
  });
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const one of sessions) one.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return states(port, clock);
}

async function states(port: number, clock: boolean): Promise<string[]> {
  const findings = await checkWay({
    address: `127.0.0.1:${String(port)}`,
    proxy: undefined as Proxy | undefined,
    consortium: CONSORTIUM,
    tls: await authority.member('silo', 'alpha'),
    clock,
  });
  return findings.map(({ check, state }) => `${check} ${state}`);
}

const WELL = ['dns ok', 'connection ok', 'tls ok'];

it('asks for the time where that was wanted, and only then', async () => {
  const answer: Odd = {
    stream: (stream) => {
      stream.respond({ ':status': 200 }, { endStream: true });
    },
  };
  expect(await statesWith(answer)).toEqual([...WELL, 'clock ok']);
  expect(await statesWith(answer, false)).toEqual(WELL);
});

it('does not call the TLS step failed when the time comes later than that step may take', async () => {
  const late: Odd = {
    // Before its first word has arrived.
    session: () => vi.advanceTimersByTime(1),
    stream: (stream) => {
      vi.advanceTimersByTime(STEP_MS - 1);
      stream.respond({ ':status': 200 }, { endStream: true });
    },
  };
  expect(await statesWith(late)).toEqual([...WELL, 'clock ok']);
});

it.each<[string, Odd]>([
  [
    'closes the stream without an answer',
    {
      stream: (stream) => {
        stream.close();
      },
    },
  ],
  [
    'says that it goes away',
    {
      stream: ({ session }) => {
        session?.close();
        session?.destroy();
      },
    },
  ],
  [
    'breaks the connection',
    {
      stream: (_stream, breakOff) => {
        breakOff();
      },
    },
  ],
  [
    'goes away at its first word',
    {
      session: (session) => {
        session.goaway();
        session.close();
      },
    },
  ],
  [
    'never answers',
    {
      stream: () => {
        vi.advanceTimersByTime(STEP_MS);
      },
    },
  ],
])('leaves out the clock, and no more, of a coordinator that %s', async (_, odd) => {
  expect(await statesWith(odd)).toEqual(WELL);
});

it('calls the TLS step failed where nothing is said, and where the connection is closed', async () => {
  for (const silent of [true, false]) {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      if (!silent) socket.destroy();
      // The client speaks first in TLS.
      else socket.once('data', () => vi.advanceTimersByTime(STEP_MS));
      onTestFinished(() => {
        socket.destroy();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    expect(await states((server.address() as AddressInfo).port, true)).toEqual([
      'dns ok',
      'connection ok',
      'tls failed',
    ]);
  }
});

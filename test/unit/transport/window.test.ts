// The receive window of the server, without which an upload over a wide-area network crawls. When an upgrade of grpc-js breaks the way
// it is raised, these fail.

import { randomBytes } from 'node:crypto';
import { Server } from '@grpc/grpc-js';
import { beforeAll, describe, expect, it } from 'vitest';
import { FLOW_CONTROL_WINDOW_BYTES } from '../../../src/transport/limits.js';
import { tuneSessions } from '../../../src/transport/http2-sessions.js';
import type { TlsMaterial } from '../../../src/transport/index.js';
import { dial, rawCall } from '../../support/raw-call.js';
import { relayTo } from '../../support/relay.js';
import { pieces, serve, silo, TestAuthority, until } from '../../support/transport.js';

const MiB = 1024 * 1024;
const DEFAULT_WINDOW = 65_535;

let authority: TestAuthority;
let alpha: TlsMaterial;
beforeAll(async () => {
  authority = await TestAuthority.create();
  alpha = await authority.member('silo', 'alpha');
});

describe('the receive window', () => {
  it('is announced for streams and for the connection', async () => {
    const server = await serve(authority, { silo: { uploadStatus: () => Promise.resolve({ durableBytes: 0n }) } });
    const session = dial(server.address, { tls: alpha });
    await rawCall(session, '/veilsum.v1.SiloService/UploadStatus');
    expect(session.remoteSettings.initialWindowSize).toBe(FLOW_CONTROL_WINDOW_BYTES);
    expect(session.state.remoteWindowSize).toBeGreaterThan(2 * FLOW_CONTROL_WINDOW_BYTES - 1000);
  });

  it('lets megabytes be under way while nothing comes back from the server', async () => {
    let stored = 0;
    const server = await serve(authority, {
      silo: {
        uploadStatus: () => Promise.resolve({ durableBytes: BigInt(stored) }),
        async uploadMasked(_caller, _target, chunks) {
          for await (const chunk of chunks) stored += chunk.length;
          return { durableBytes: BigInt(stored) };
        },
      },
    });
    // A round trip as long as the test wants: the relay holds back all that the server says, its window updates too.
    const relay = await relayTo(server.port);
    const client = silo(relay.address, alpha);
    const vector = randomBytes(8 * MiB);
    const before = relay.sent();
    await client.upload({
      rid: randomBytes(32),
      attempt: 1,
      totalBytes: vector.length,
      async *read() {
        relay.hold();
        yield* pieces(vector.subarray(0, 6 * MiB));
        await until(() => relay.sent() - before > 5 * MiB);
        relay.release();
        yield vector.subarray(6 * MiB);
      },
    });
    expect(stored).toBe(vector.length);
    expect(5 * MiB).toBeGreaterThan(10 * DEFAULT_WINDOW);
  });

  it('of a stream is less than the connection’s: an upload that nobody reads holds up no other call beside it', async () => {
    let stored = 0;
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const server = await serve(authority, {
      silo: {
        uploadStatus: () => Promise.resolve({ durableBytes: 0n }),
        async uploadMasked(_caller, { attempt }, chunks) {
          if (attempt === 1) await released;
          let bytes = 0;
          for await (const chunk of chunks) bytes += chunk.length;
          if (attempt === 2) stored += bytes;
          return { durableBytes: BigInt(bytes) };
        },
      },
    });
    const client = silo(server.address, alpha);
    // More than the window of its stream, over the same connection as the other.
    const sizes = { 1: FLOW_CONTROL_WINDOW_BYTES + 4 * MiB, 2: 4 * MiB } as const;
    let sent = 0;
    const upload = (attempt: 1 | 2): Promise<void> =>
      client.upload({
        rid: randomBytes(32),
        attempt,
        totalBytes: sizes[attempt],
        async *read() {
          for (let at = 0; at < sizes[attempt]; at += MiB) {
            yield await Promise.resolve(new Uint8Array(MiB));
            if (attempt === 1) sent++;
          }
        },
      });
    const stuck = upload(1);
    // As much of it is under way as ever will be.
    await until(() => sent * MiB >= FLOW_CONTROL_WINDOW_BYTES - 2 * MiB);
    await upload(2);
    expect(stored).toBe(sizes[2]);
    release();
    await stuck;
  });

  it('is refused to be raised on a server of another make', () => {
    const odd = new Server();
    Object.defineProperty(odd, '_setupHandlers', { value: undefined });
    expect(() =>
      tuneSessions(odd, { windowBytes: MiB, connectionsMax: 1, handshakesMax: 8, onSession: () => undefined }),
    ).toThrow(expect.objectContaining({ code: 'transport/unknown-grpc' }));
  });
});

// What grpc-js's server does not offer: a receive window above 64 KiB (without it an upload crawls at 1 MB/s over 50 ms of round trip),
// and a word with each new connection. Both go through private fields of one exact version; any other version is refused at start,
// because a window that is silently small and a limit that is silently gone are both worse than a program that does not start.

import { createRequire } from 'node:module';
import type { Http2SecureServer, SecureServerOptions, ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Server, ServerInterceptor } from '@grpc/grpc-js';
import { spareWhileClosing } from './closing-sessions.js';
import { TransportError } from './errors.js';

/** The version whose private fields are used here. Raise it together with package.json, when the tests of this file pass. */
const KNOWN_VERSION = '1.14.7';

interface ServerInternals {
  commonServerOptions: SecureServerOptions;
  _setupHandlers(http2Server: Http2SecureServer, interceptors: ServerInterceptor[]): void;
}

export interface SessionOptions {
  readonly windowBytes: number;
  readonly connectionsMax: number;
  readonly handshakesMax: number;
  readonly onSession: (session: ServerHttp2Session) => void;
}

/** Before `bindAsync`. The set holds the open sockets, also those still in their handshake. */
export function tuneSessions(server: Server, options: SessionOptions): ReadonlySet<Socket> {
  const internals: object = server;
  if (installedVersion() !== KNOWN_VERSION || !hasInternals(internals))
    throw new TransportError(
      'transport/unknown-grpc',
      `@grpc/grpc-js ${KNOWN_VERSION} is needed, ${installedVersion()} is installed.`,
    );
  const { windowBytes, connectionsMax, handshakesMax, onSession } = options;
  internals.commonServerOptions.settings = {
    ...internals.commonServerOptions.settings,
    initialWindowSize: windowBytes,
  };
  const sockets = new Set<Socket>();
  // Those still in their TLS handshake, oldest first, by the far end: the TLS socket that comes of it is another object.
  const unfinished = new Map<string, Socket>();
  const setUp = internals._setupHandlers.bind(server);
  internals._setupHandlers = (http2Server, interceptors) => {
    http2Server.maxConnections = connectionsMax;
    http2Server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      const address = addressOf(socket);
      unfinished.set(address, socket);
      socket.once('close', () => {
        sockets.delete(socket);
        if (unfinished.get(address) === socket) unfinished.delete(address);
      });
      // The longest under way is the least likely to be honest.
      const [oldest] = unfinished.size > handshakesMax ? unfinished.values() : [];
      oldest?.destroy();
    });
    http2Server.on('secureConnection', (socket: Socket) => {
      unfinished.delete(addressOf(socket));
      if (socket instanceof TLSSocket) parseCertificateOnce(socket);
    });
    // Before grpc-js sees the session, so that one refused here never carries a call.
    http2Server.on('session', (session) => {
      // Twice a stream's: an upload whose handler waits for its disk must not hold up what else comes over its connection.
      session.setLocalWindowSize(2 * windowBytes);
      spareWhileClosing(session);
      onSession(session);
    });
    setUp(http2Server, interceptors);
  };
  return sockets;
}

/** gRPC asks for it at each call, and TLS 1.3 never changes it: parsing it again took longer than most answers. */
function parseCertificateOnce(socket: TLSSocket): void {
  const certificate = socket.getPeerCertificate();
  socket.getPeerCertificate = ((detailed?: boolean) =>
    detailed === true
      ? TLSSocket.prototype.getPeerCertificate.call(socket, true)
      : certificate) as typeof socket.getPeerCertificate;
}

function addressOf({ remoteAddress, remotePort }: Socket): string {
  return `${String(remoteAddress)} ${String(remotePort)}`;
}

function installedVersion(): string {
  const manifest: unknown = createRequire(import.meta.url)('@grpc/grpc-js/package.json');
  const known =
    typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : undefined;
  return typeof known === 'string' ? known : 'no version';
}

function hasInternals(server: object): server is ServerInternals {
  return (
    '_setupHandlers' in server &&
    typeof server._setupHandlers === 'function' &&
    'commonServerOptions' in server &&
    typeof server.commonServerOptions === 'object'
  );
}

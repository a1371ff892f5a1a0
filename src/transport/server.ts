// The coordinator's listening side: TLS, limits, the gate, the two services and grpc.health.v1, and an orderly end.

import { Server, type ServerOptions as GrpcOptions } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import type { Clock, SiloId } from '../base/index.js';
import { identityUri, type PeerIdentity, type Revocations } from '../pki/index.js';
import { AdminServiceDefinition, SiloServiceDefinition } from '../wire/index.js';
import type { TlsMaterial } from './clients.js';
import { ExchangeableCredentials } from './credentials.js';
import { TransportError } from './errors.js';
import type { ReportInternal, TraceCall } from './gate.js';
import { Gate } from './gate.js';
import type { AdminHandlers, SiloHandlers } from './handlers.js';
import { tuneSessions } from './http2-sessions.js';
import type { ServerLimits } from './limits.js';
import { FLOW_CONTROL_WINDOW_BYTES, SERVER_LIMITS } from './limits.js';
import { ACCESS, ADMIN_METHODS, SILO_METHODS } from './methods.js';
import { Peers } from './peers.js';
import { reflectionImplementation, reflectionServices } from './reflection.js';
import { adminImplementation, rawService, siloImplementation } from './services.js';
import { sleep } from './waiting.js';

export interface ServerOptions {
  /** An IP address or host name of this machine. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly tls: TlsMaterial;
  readonly consortium: string;
  readonly clock: Clock;
  readonly revocations?: Revocations;
  readonly silo: SiloHandlers;
  readonly admin: AdminHandlers;
  /** Gets what peers are not told: errors of category internal, and whatever is no CodedError. */
  readonly onInternalError: ReportInternal;
  /** A member has shown a certificate for the first time, or after more than a thousand others. */
  readonly onNewPeer?: (peer: PeerIdentity) => void;
  /** Nobody traces unless given. */
  readonly traceCall?: TraceCall | undefined;
  readonly limits?: Partial<ServerLimits>;
}

export interface RunningServer {
  readonly port: number;
  /** Takes a renewed certificate for the connections to come; throws and keeps the old one when the new one cannot be used. */
  replaceCertificate(tls: TlsMaterial): void;
  /** Ends every call of a silo with this error; that its next ones are refused is the handlers' business. */
  endCallsOf(silo: SiloId, error: unknown): void;
  /** Takes no more calls, ends watches, lets other calls finish for `graceMs`, then cuts them. Resolves when nothing is open. */
  close(graceMs: number): Promise<void>;
}

/** Throws transport/no-address when it cannot listen there. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const limits = { ...SERVER_LIMITS, ...options.limits };
  const report = options.onInternalError;
  const peers = new Peers(options.consortium, options.clock, options.revocations, options.onNewPeer);
  const trace = options.traceCall ?? (() => () => undefined);
  const gate = new Gate(peers, ACCESS, limits, report, trace);
  const server = new Server({ ...grpcOptions(limits), interceptors: [gate.interceptor] });
  const sockets = tuneSessions(server, {
    windowBytes: FLOW_CONTROL_WINDOW_BYTES,
    connectionsMax: limits.connectionsMax,
    handshakesMax: limits.handshakesMax,
    onSession: gate.connect,
  });
  const serving = { gate, limits, report };
  server.addService(rawService(SILO_METHODS), siloImplementation(serving, options.silo));
  server.addService(rawService(ADMIN_METHODS), adminImplementation(serving, options.admin));
  for (const service of reflectionServices()) server.addService(service, reflectionImplementation(serving));
  const services = ['', SiloServiceDefinition.fullName, AdminServiceDefinition.fullName];
  const health = new HealthImplementation(Object.fromEntries(services.map((name) => [name, 'SERVING' as const])));
  health.addToServer(server);

  const credentials = new ExchangeableCredentials(options.tls, limits.handshakeMs);
  const port = await listen(server, credentials, options);
  return {
    port,
    replaceCertificate(tls) {
      credentials.replace(tls);
    },
    endCallsOf(silo, error) {
      gate.endCallsOf(identityUri(options.consortium, { role: 'silo', id: silo }), error);
    },
    async close(graceMs) {
      for (const name of services) health.setStatus(name, 'NOT_SERVING');
      gate.close();
      const closed = new Promise<void>((resolve) => {
        server.tryShutdown(() => {
          resolve();
        });
      });
      const giveUp = new AbortController();
      await Promise.race([closed, sleep(graceMs, giveUp.signal)]);
      giveUp.abort();
      server.forceShutdown();
      // Those still in their handshake belong to no session that gRPC knows of.
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function listen(server: Server, credentials: ExchangeableCredentials, { host, port }: ServerOptions): Promise<number> {
  const address = `${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, bound) => {
      if (error === null) resolve(bound);
      else reject(new TransportError('transport/no-address', `cannot listen on ${address}.`, { cause: error }));
    });
  });
}

function grpcOptions(limits: ServerLimits): GrpcOptions {
  return {
    'grpc.max_receive_message_length': limits.messageBytes,
    'grpc.max_send_message_length': limits.messageBytes,
    'grpc.max_concurrent_streams': limits.streamsPerConnection,
    'grpc.max_connection_idle_ms': limits.idleConnectionMs,
    'grpc.max_connection_age_ms': limits.connectionAgeMs,
    'grpc.max_connection_age_grace_ms': limits.connectionAgeGraceMs,
    'grpc.keepalive_time_ms': limits.keepaliveMs,
    'grpc.keepalive_timeout_ms': limits.keepaliveTimeoutMs,
    'grpc.enable_channelz': 0,
  };
}

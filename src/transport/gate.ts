// Every call passes here before a handler, or even its first message, is looked at: who calls, whether that role may, whether there is
// room. It also ends calls: when their time is over, when the server closes.

import type { PeerCertificate } from 'node:tls';
import type { ServerHttp2Session } from 'node:http2';
import { constants } from 'node:http2';
import { TLSSocket } from 'node:tls';
import type { Metadata, ServerInterceptor } from '@grpc/grpc-js';
import { ServerInterceptingCall } from '@grpc/grpc-js';
import { invariant } from '../base/index.js';
import type { PeerIdentity } from '../pki/index.js';
import { TransportError } from './errors.js';
import type { ServerLimits } from './limits.js';
import { CHUNKS_IN_FLIGHT, TRACEPARENT } from './limits.js';
import type { Access } from './methods.js';
import { Pace } from './pace.js';
import type { Peers } from './peers.js';
import { toStatus } from './status.js';
import { Tally } from './tally.js';

export type ReportInternal = (error: unknown, path: string) => void;

/**
 * Told of every call of a silo that is let in, but for watches, with the traceparent that came with it; what it returns is called when the
 * call is over.
 */
export type TraceCall = (path: string, peer: string, traceparent: string | undefined) => () => void;

/** A call that was let in. */
export interface AdmittedCall {
  readonly path: string;
  readonly peer: PeerIdentity;
  /** Aborts when the call is over, whichever side ended it. */
  readonly signal: AbortSignal;
  /** How far gRPC may read ahead of the handler. */
  readonly pace: Pace;
  /** Throws when the certificate has expired or been revoked since. */
  check(): void;
  /** Ends the call with this error, whatever its handler is doing. */
  readonly end: (error: unknown) => void;
}

interface OpenCall {
  /** URI of the caller. */
  readonly peer: string;
  readonly kind: Access['kind'];
  readonly end: (error: unknown) => void;
}

export class Gate {
  readonly #peers: Peers;
  readonly #access: ReadonlyMap<string, Access>;
  readonly #limits: ServerLimits;
  readonly #report: ReportInternal;
  readonly #trace: TraceCall;
  readonly #calls: Tally;
  readonly #connections: Tally;
  readonly #open = new Set<OpenCall>();
  /** gRPC hands a call's metadata object to its handler as it got it from us: the one thing both ends hold. */
  readonly #admitted = new WeakMap<Metadata, AdmittedCall>();
  #closing = false;

  constructor(
    peers: Peers,
    access: ReadonlyMap<string, Access>,
    limits: ServerLimits,
    report: ReportInternal,
    trace: TraceCall,
  ) {
    this.#peers = peers;
    this.#access = access;
    this.#limits = limits;
    this.#report = report;
    this.#trace = trace;
    this.#calls = new Tally(limits.callsPerIdentity);
    this.#connections = new Tally(limits.connectionsPerIdentity);
  }

  readonly interceptor: ServerInterceptor = ({ path }, call) => {
    const ending = new AbortController();
    const pace = new Pace(CHUNKS_IN_FLIGHT);
    const end = (error: unknown): void => {
      call.sendStatus(
        toStatus(error, (internal) => {
          this.#report(internal, path);
        }),
      );
    };
    let leave = (): void => undefined;
    return new ServerInterceptingCall(call, {
      start: (next) => {
        next({
          // gRPC calls this at most once, and onCancel exactly once after it: what is taken here is given back there.
          onReceiveMetadata: (metadata, pass) => {
            try {
              const access = this.#access.get(path);
              const peer = this.#admit(call.getAuthContext().sslPeerCertificate, path, access);
              const kind = access?.kind ?? 'unary';
              const left = this.#enter(peer, { peer: peer.uri, kind, end });
              // A watch lasts as long as its connection, and belongs to no round; nor does what an operator or an auditor asks.
              const traced =
                kind === 'watch' || peer.role !== 'silo'
                  ? undefined
                  : this.#trace(path, peer.uri, traceparentOf(metadata));
              leave = () => {
                left();
                traced?.();
              };
              const check = (): void => {
                this.#peers.check(peer);
              };
              this.#admitted.set(metadata, { path, peer, signal: ending.signal, pace, check, end });
            } catch (error) {
              end(error);
              return;
            }
            pass(metadata);
          },
          onReceiveMessage: (message: unknown, pass) => {
            pace.offer(() => {
              pass(message);
            });
          },
          onReceiveHalfClose: (pass) => {
            // A stream that was reset in the middle ends first and closes afterwards: a truncated upload would pass for a whole one.
            // Asking for a read makes gRPC look whether the stream is still there; if not, onCancel comes before the next turn.
            call.startRead();
            setImmediate(pass);
          },
          onCancel: () => {
            ending.abort();
            leave();
          },
        });
      },
    });
  };

  /** The call that a handler was entered with. */
  admitted(metadata: Metadata): AdmittedCall {
    const call = this.#admitted.get(metadata);
    invariant(call !== undefined, 'a handler was entered past the gate');
    return call;
  }

  /** Counts a new connection, and cuts it when its owner has too many. A bad certificate is counted too, and refused at its first call. */
  readonly connect = (session: ServerHttp2Session): void => {
    const { socket } = session;
    const certificate = socket instanceof TLSSocket ? socket.getPeerCertificate() : undefined;
    const leave = this.#connections.enter(this.#ownerOf(certificate));
    if (leave === undefined) {
      session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM);
      // Not at once: gRPC is about to look at its socket.
      setImmediate(() => {
        session.destroy();
      });
      return;
    }
    session.once('close', leave);
  };

  /** Takes no more calls, and ends those that would never end by themselves; their callers come again elsewhere or later. */
  close(): void {
    this.#closing = true;
    for (const call of [...this.#open]) if (call.kind === 'watch') call.end(closing());
  }

  /** Ends every call of this member, whatever its handlers are doing. */
  endCallsOf(uri: string, error: unknown): void {
    for (const call of [...this.#open]) if (call.peer === uri) call.end(error);
  }

  #admit(certificate: PeerCertificate | undefined, path: string, access: Access | undefined): PeerIdentity {
    if (this.#closing) throw closing();
    const peer = this.#peers.identify(certificate);
    if (access === undefined || access.roles.size === 0)
      throw new TransportError('transport/not-annotated', `${path} names no role that may call it.`);
    if (!access.roles.has(peer.role))
      throw new TransportError(
        'transport/wrong-role',
        `${path} is for ${[...access.roles].join(' and ')}, and ${peer.uri} is none.`,
      );
    return peer;
  }

  #enter(peer: PeerIdentity, call: OpenCall): () => void {
    const leave = this.#calls.enter(peer.uri);
    if (leave === undefined)
      throw new TransportError(
        'transport/too-many-calls',
        `${peer.uri} has ${String(this.#limits.callsPerIdentity)} calls under way, and may have no more.`,
      );
    this.#open.add(call);
    const { kind } = call;
    const timer =
      kind === 'watch'
        ? undefined
        : setTimeout(() => {
            call.end(new TransportError('transport/deadline', 'the call took longer than any call may.'));
          }, this.#limits.callMs[kind]);
    return () => {
      clearTimeout(timer);
      this.#open.delete(call);
      leave();
    };
  }

  #ownerOf(certificate: PeerCertificate | undefined): string {
    try {
      return this.#peers.identify(certificate).uri;
    } catch {
      return certificate?.fingerprint256 ?? 'nobody';
    }
  }
}

function traceparentOf(metadata: Metadata): string | undefined {
  const [value, ...others] = metadata.get(TRACEPARENT);
  return typeof value === 'string' && others.length === 0 ? value : undefined;
}

function closing(): TransportError {
  return new TransportError('transport/closing', 'the coordinator is shutting down.');
}

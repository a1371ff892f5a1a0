// Times and sizes of connections and calls, with unit and reason. What a peer can make us hold is in base's LIMITS; these are the
// transport's own, and a program or a test may set them otherwise.

import { LIMITS } from '../base/index.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const MiB = 1024 * 1024;

/** Methods by what they may cost: a short answer, bytes in, bytes out, or a stream that lives as long as both ends. */
export type CallKind = 'unary' | 'upload' | 'download' | 'watch';

/** Bytes under way to one receiver before it says that it took them: 16 MiB carry 150 MB/s over 50 ms of round trip. */
export const FLOW_CONTROL_WINDOW_BYTES = 16 * MiB;

/** Chunks of one stream held between handler and socket, each way: one on its way while the next is made. */
export const CHUNKS_IN_FLIGHT = 2;

/** Characters of an error's text that travel; the rest of a header block is grpc's own. */
export const ERROR_TEXT_CHARACTERS = 1000;

export interface ServerLimits {
  readonly messageBytes: number;
  readonly streamsPerConnection: number;
  readonly connectionsPerIdentity: number;
  readonly callsPerIdentity: number;
  /** Connections in all: a full roster with successors, operators and auditors; each costs a TLS session. */
  readonly connectionsMax: number;
  /**
   * Connections in the middle of their TLS handshake: with one more the oldest is cut, so that who has no certificate can never take all
   * places. Far below connectionsMax, and more than agents that come back at once after a restart.
   */
  readonly handshakesMax: number;
  /** How long a peer may take to finish its TLS handshake. */
  readonly handshakeMs: number;
  /** How long a call may take in all; a watch ends with its connection. Uploads of 400 MB at 1 Mbit/s take an hour. */
  readonly callMs: Readonly<Record<Exclude<CallKind, 'watch'>, number>>;
  /** How long a bulk stream may stand still: nothing comes, or nothing is taken. */
  readonly stallMs: number;
  /** A watch that has said nothing for this long says that it is alive. */
  readonly heartbeatMs: number;
  /** A connection without calls is closed after this. */
  readonly idleConnectionMs: number;
  /** A connection is renewed after this (with 10 % jitter): certificates are short-lived and TLS checks them only at its start. */
  readonly connectionAgeMs: number;
  /** What calls on an old connection get to finish before it is cut: an upload resumes on the next. */
  readonly connectionAgeGraceMs: number;
  readonly keepaliveMs: number;
  /** As patient as a watch: a peer on a machine with too much to do must not lose by it the streams that it still reads. */
  readonly keepaliveTimeoutMs: number;
}

export const SERVER_LIMITS: ServerLimits = {
  messageBytes: LIMITS.messageBytes,
  streamsPerConnection: LIMITS.streamsPerConnection,
  connectionsPerIdentity: LIMITS.connectionsPerIdentity,
  callsPerIdentity: LIMITS.callsPerIdentity,
  connectionsMax: 2 * LIMITS.rosterMembersMax,
  handshakesMax: 256,
  handshakeMs: 20 * SECOND,
  callMs: { unary: MINUTE, upload: 60 * MINUTE, download: 60 * MINUTE },
  stallMs: 2 * MINUTE,
  heartbeatMs: 15 * SECOND,
  idleConnectionMs: 10 * MINUTE,
  connectionAgeMs: 60 * MINUTE,
  connectionAgeGraceMs: 5 * MINUTE,
  keepaliveMs: 30 * SECOND,
  keepaliveTimeoutMs: 45 * SECOND,
};

export interface ClientLimits {
  readonly messageBytes: number;
  /** How long one try of a unary call may take. */
  readonly unaryMs: number;
  /** How long one try of a stream of bytes may stand still. */
  readonly stallMs: number;
  /** A watch that has been silent for this long is dead: three heartbeats were missed. */
  readonly silenceMs: number;
  /** Tries in a row without progress before a call fails with what the last one said. With the delays below about three minutes. */
  readonly triesMax: number;
  /** Full jitter: the n-th wait is uniform between 0 and min(cap, base · 2^n). */
  readonly backoffBaseMs: number;
  readonly backoffCapMs: number;
  readonly keepaliveMs: number;
  /** As patient as a watch: a peer on a machine with too much to do must not lose by it the streams that it still reads. */
  readonly keepaliveTimeoutMs: number;
}

export const CLIENT_LIMITS: ClientLimits = {
  messageBytes: LIMITS.messageBytes,
  unaryMs: 30 * SECOND,
  stallMs: 2 * MINUTE,
  silenceMs: 45 * SECOND,
  triesMax: 12,
  backoffBaseMs: 200,
  backoffCapMs: 30 * SECOND,
  keepaliveMs: 30 * SECOND,
  keepaliveTimeoutMs: 45 * SECOND,
};

/** The metadata key of https://www.w3.org/TR/trace-context/, which ties a call to the trace of its caller. */
export const TRACEPARENT = 'traceparent';

// The agent's client.

import type { Clock, CodedError, Rng } from '../base/index.js';
import type { Proxy } from '../network/index.js';
import { Channel } from './channel.js';
import type { SiloClient, TlsMaterial } from './clients.js';
import { download } from './download.js';
import { readEntries } from './log-entries.js';
import type { ClientLimits } from './limits.js';
import { CLIENT_LIMITS } from './limits.js';
import type { Method } from './methods.js';
import { decodeMessage, encodeMessage, SILO_METHODS } from './methods.js';
import type { RetryOptions } from './retry.js';
import { retried } from './retry.js';
import { uploadAll } from './upload.js';
import type { Sleep } from './waiting.js';
import { sleep } from './waiting.js';
import { watchForEver } from './watch.js';

export interface ConnectOptions {
  /** `host:port` of the coordinator. */
  readonly address: string;
  readonly tls: TlsMaterial;
  /** The host name to expect in the coordinator's certificate, when it is not that of `address`. */
  readonly serverName?: string | undefined;
  readonly proxy?: Proxy | undefined;
  readonly consortium: string;
  readonly clock: Clock;
  /** For the jitter of delays. */
  readonly rng: Rng;
  /** Real timers unless stated. */
  readonly sleep?: Sleep;
  readonly limits?: Partial<ClientLimits>;
}

export interface SiloConnectOptions extends ConnectOptions {
  /** For the operator's table. */
  readonly agentVersion: string;
  /** W3C traceparent for a call that begins now; nobody traces unless given. */
  readonly traceparent?: (() => string | undefined) | undefined;
  /** Told of each break of a watch, before the wait that follows. */
  readonly onBreak?: (error: CodedError) => void;
}

/** Dials with the first call, and again whenever it must. */
export function connectSilo(options: SiloConnectOptions): SiloClient {
  const { channel, retry, limits } = connect(options);
  const call = unaryCalls(channel, retry);
  const watching = {
    channel,
    retry,
    agentVersion: options.agentVersion,
    silenceMs: limits.silenceMs,
    onBreak: options.onBreak ?? (() => undefined),
  };
  return {
    watch: (cursor, onDirective, signal) => watchForEver(watching, cursor, onDirective, signal),
    submit: (request, signal) => call(SILO_METHODS.submit, request, signal),
    uploadStatus: (request, signal) => call(SILO_METHODS.uploadStatus, request, signal),
    upload: (upload) => uploadAll(channel, retry, upload),
    getBlob: (ref, signal) => download({ channel, retry, stallMs: limits.stallMs }, ref, signal),
    readLog: (from, to, signal) => readEntries(channel, limits.stallMs, { from, to }, signal),
    proveLog: async (from, to, signal) =>
      (await call(SILO_METHODS.proveLog, { from: BigInt(from), to: BigInt(to) }, signal)).hashes,
    replaceCertificate: (tls) => {
      channel.replaceCertificate(tls);
    },
    close: () => {
      channel.close();
    },
  };
}

export interface Connected {
  readonly channel: Channel;
  readonly retry: RetryOptions;
  readonly limits: ClientLimits;
}

export function connect(options: ConnectOptions & Pick<SiloConnectOptions, 'traceparent'>): Connected {
  const { address, tls, serverName, proxy, consortium, clock, rng, traceparent } = options;
  const limits = { ...CLIENT_LIMITS, ...options.limits };
  const channel = new Channel({ address, tls, serverName, proxy, consortium, clock, limits, traceparent });
  return { channel, retry: { rng, sleep: options.sleep ?? sleep, limits }, limits };
}

/** Unary calls with a deadline, made again while that may help. */
export function unaryCalls(channel: Channel, retry: RetryOptions) {
  return async <Request, Response>(
    { path, definition }: Method<Request, Response>,
    request: Request,
    signal: AbortSignal | undefined,
  ): Promise<Response> => {
    const bytes = encodeMessage(definition.requestType, request);
    const answer = await retried(retry, signal, () => channel.unary(path, bytes, signal));
    return decodeMessage(definition.responseType, answer, path);
  };
}

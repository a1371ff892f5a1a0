// One dialled connection to the coordinator, and the three shapes of call over it, in raw bytes. gRPC's own retries are off: whether a
// call may be made again is known to its caller (retry.ts, watch.ts, upload.ts, download.ts).

import { Client, type ClientOptions, Metadata } from '@grpc/grpc-js';
import type { Clock } from '../base/index.js';
import type { Proxy } from '../network/index.js';
import type { TlsMaterial } from './clients.js';
import { spareDialledSessions } from './closing-sessions.js';
import { clientCredentials } from './credentials.js';
import type { TransportError } from './errors.js';
import type { ClientLimits } from './limits.js';
import { CHUNKS_IN_FLIGHT, FLOW_CONTROL_WINDOW_BYTES, TRACEPARENT } from './limits.js';
import { Sender } from './sender.js';
import { fromServiceError, isCoded } from './status.js';
import { cancelled, pull, throwIfAborted, within } from './waiting.js';

export interface ChannelOptions {
  /** `host:port`. */
  readonly address: string;
  readonly tls: TlsMaterial;
  /** The name that the coordinator's certificate must carry, when it is not the host of `address`. */
  readonly serverName?: string | undefined;
  /** The HTTP proxy on the way, if there is one. The environment's proxy variables are not obeyed. */
  readonly proxy?: Proxy | undefined;
  readonly consortium: string;
  /** W3C traceparent for a call that begins now; undefined where nobody traces. */
  readonly traceparent?: (() => string | undefined) | undefined;
  readonly clock: Clock;
  readonly limits: ClientLimits;
}

const asIs = (bytes: Buffer): Buffer => bytes;

export class Channel {
  readonly #options: ChannelOptions;
  #client: Client;
  #tls: TlsMaterial;
  #wrongServer: TransportError | undefined;

  constructor(options: ChannelOptions) {
    spareDialledSessions();
    this.#options = options;
    this.#tls = options.tls;
    this.#client = this.#dial(options.tls);
  }

  replaceCertificate(tls: TlsMaterial): void {
    this.#tls = tls;
    const old = this.#client;
    this.#client = this.#dial(tls);
    // Calls under way finish on their connection.
    old.close();
  }

  /** gRPC can wait for ever on a connection whose handshake was cut off: where nothing came for too long, the next call dials anew. */
  #redial(silent: Client): void {
    if (silent === this.#client) this.replaceCertificate(this.#tls);
  }

  close(): void {
    this.#client.close();
  }

  async unary(path: string, request: Buffer, signal: AbortSignal | undefined): Promise<Buffer> {
    throwIfAborted(signal);
    const client = this.#client;
    const deadline = Date.now() + this.#options.limits.unaryMs;
    let cancel = (): void => undefined;
    const answer = new Promise<Buffer>((resolve, reject) => {
      const call = client.makeUnaryRequest(
        path,
        asIs,
        asIs,
        request,
        this.#metadata(),
        { deadline },
        settle(resolve, reject),
      );
      cancel = () => {
        call.cancel();
      };
    });
    try {
      return await within(answer, { signal, what: path });
    } catch (error) {
      cancel();
      const translated = this.#translated(error, path);
      if (isCoded(translated) && translated.code === 'transport/deadline') this.#redial(client);
      throw translated;
    }
  }

  /** Sends all messages and waits for the answer, which may come before the last message: then the rest is not sent. */
  async upload(path: string, messages: AsyncIterable<Buffer>, signal: AbortSignal | undefined): Promise<Buffer> {
    throwIfAborted(signal);
    const over = new AbortController();
    let answered: Promise<Buffer> | undefined;
    const client = this.#client;
    const { stallMs } = this.#options.limits;
    let cancel = (): void => undefined;
    try {
      let sender: Sender | undefined;
      let end = (): void => undefined;
      answered = new Promise<Buffer>((resolve, reject) => {
        const call = client.makeClientStreamRequest(path, asIs, asIs, this.#metadata(), settle(resolve, reject));
        // The callback says it better.
        call.on('error', () => undefined);
        sender = new Sender(call, CHUNKS_IN_FLIGHT);
        end = () => {
          call.end();
        };
        cancel = () => {
          call.cancel();
        };
      });
      void answered
        .catch(() => undefined)
        .finally(() => {
          over.abort();
        });
      const either = signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]);
      try {
        for await (const message of pull(messages, { signal: either, what: path }))
          await sender?.send(message, { signal: either, ms: stallMs, what: path });
        end();
      } catch (error) {
        // The answer came early, or the call broke: what it says is the reason.
        if (!over.signal.aborted) throw error;
      }
      return await within(answered, { signal, ms: stallMs, what: path });
    } catch (error) {
      cancel();
      if (isCoded(error) && error.code === 'transport/silent') this.#redial(client);
      throw this.#translated(error, path);
    }
  }

  /** The messages of a stream. Throws transport/silent after `silenceMs` in which one was waited for and none came. */
  async *stream(
    path: string,
    request: Buffer,
    signal: AbortSignal | undefined,
    silenceMs: number | undefined,
  ): AsyncGenerator<Buffer, void, undefined> {
    throwIfAborted(signal);
    const client = this.#client;
    const call = client.makeServerStreamRequest(path, asIs, asIs, request, this.#metadata());
    // Errors after the reader has left have nobody to go to.
    call.on('error', () => undefined);
    try {
      yield* pull(call as AsyncIterable<Buffer>, { signal, ms: silenceMs, what: path });
    } catch (error) {
      if (isCoded(error) && error.code === 'transport/silent') this.#redial(client);
      throw this.#translated(error, path);
    } finally {
      call.cancel();
    }
  }

  #metadata(): Metadata {
    const metadata = new Metadata();
    const traceparent = this.#options.traceparent?.();
    if (traceparent !== undefined) metadata.set(TRACEPARENT, traceparent);
    return metadata;
  }

  #dial(tls: TlsMaterial): Client {
    const { address, consortium, clock, limits, serverName, proxy } = this.#options;
    const credentials = clientCredentials(tls, {
      consortium,
      clock,
      onWrongServer: (error) => {
        this.#wrongServer = error;
      },
    });
    const options = { ...grpcOptions(limits, serverName), ...proxyOptions(address, proxy) };
    return new Client(proxy?.address ?? address, credentials, options);
  }

  #translated(error: unknown, path: string): unknown {
    const translated = fromServiceError(error, path);
    if (!isCoded(translated) || translated.code !== 'transport/unreachable') return translated;
    // gRPC only says that there is no connection; the certificate check knows why.
    const reason = this.#wrongServer;
    this.#wrongServer = undefined;
    return reason ?? translated;
  }
}

/** What grpc-js itself would make of the environment; here the configuration alone says it. */
function proxyOptions(address: string, proxy: Proxy | undefined): ClientOptions {
  if (proxy === undefined) return { 'grpc.enable_http_proxy': 0 };
  return {
    'grpc.enable_http_proxy': 0,
    'grpc.http_connect_target': `dns:${address}`,
    'grpc.default_authority': address,
    ...(proxy.credentials === undefined ? {} : { 'grpc.http_connect_creds': proxy.credentials }),
  };
}

function settle(resolve: (answer: Buffer) => void, reject: (error: Error) => void) {
  return (error: Error | null, answer?: Buffer): void => {
    if (error !== null) reject(error);
    else if (answer === undefined) reject(cancelled());
    else resolve(answer);
  };
}

function grpcOptions(limits: ClientLimits, serverName: string | undefined): ClientOptions {
  return {
    'grpc.max_receive_message_length': limits.messageBytes,
    'grpc.max_send_message_length': limits.messageBytes,
    'grpc-node.flow_control_window': FLOW_CONTROL_WINDOW_BYTES,
    'grpc.keepalive_time_ms': limits.keepaliveMs,
    'grpc.keepalive_timeout_ms': limits.keepaliveTimeoutMs,
    // The delay between connections is the smaller part of the wait: the callers' own is jittered and longer.
    'grpc.initial_reconnect_backoff_ms': Math.min(100, limits.backoffCapMs),
    'grpc.max_reconnect_backoff_ms': Math.max(100, Math.min(5000, limits.backoffCapMs)),
    'grpc.enable_retries': 0,
    'grpc.enable_channelz': 0,
    // Otherwise clients of one process with equal options would share a connection.
    'grpc.use_local_subchannel_pool': 1,
    // Settings come from our own configuration, not from DNS.
    'grpc.service_config_disable_resolution': 1,
    ...(serverName === undefined ? {} : { 'grpc.ssl_target_name_override': serverName }),
  };
}

// A TCP connection to the other side: directly, or through an HTTP proxy with CONNECT (RFC 9110 §9.3.6). The proxy sees host, port and
// ciphertext; TLS is between the two ends.

import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { splitAddress } from './address.js';
import { NetworkError } from './errors.js';

export interface Proxy {
  /** `host:port`. */
  readonly address: string;
  /** `user:password`, for the Basic scheme (RFC 7617). A secret: never in a message. */
  readonly credentials?: string | undefined;
}

export interface SocketOptions {
  /** `host:port` of the other side; with a proxy it is the proxy that resolves the name. */
  readonly address: string;
  readonly proxy?: Proxy | undefined;
  /** How long it may take until bytes can flow. */
  readonly timeoutMs: number;
}

/** Throws NetworkError. */
export async function openSocket({ address, proxy, timeoutMs }: SocketOptions): Promise<Socket> {
  return proxy === undefined ? direct(address, timeoutMs) : tunnel(address, proxy, timeoutMs);
}

function direct(address: string, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...splitAddress(address), noDelay: true });
    const timer = setTimeout(() => {
      socket.destroy(new Error('no answer in time'));
    }, timeoutMs);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.removeAllListeners('error');
      resolve(socket);
    });
    socket.once('error', (cause) => {
      clearTimeout(timer);
      const code = isUnknownHost(cause) ? 'network/unknown-host' : 'network/unreachable';
      reject(new NetworkError(code, `${address}: ${cause.message}.`, { cause }));
    });
  });
}

function tunnel(address: string, proxy: Proxy, timeoutMs: number): Promise<Socket> {
  const authorization =
    proxy.credentials === undefined
      ? {}
      : { 'Proxy-Authorization': `Basic ${Buffer.from(proxy.credentials).toString('base64')}` };
  return new Promise((resolve, reject) => {
    const asking = request({
      ...splitAddress(proxy.address),
      method: 'CONNECT',
      path: address,
      headers: { Host: address, ...authorization },
      agent: false,
    });
    const timer = setTimeout(() => {
      asking.destroy(new Error('no answer in time'));
    }, timeoutMs);
    asking.once('connect', ({ statusCode = 0 }, socket: Socket, head: Buffer) => {
      clearTimeout(timer);
      if (statusCode < 200 || statusCode > 299) {
        socket.destroy();
        reject(refusal(statusCode, address, proxy));
        return;
      }
      // What the other side sent right behind the proxy's answer belongs to it.
      if (head.length > 0) socket.unshift(head);
      socket.setNoDelay(true);
      resolve(socket);
    });
    // A proxy that answers like a web server does not know CONNECT.
    asking.once('response', ({ statusCode = 0 }) => {
      clearTimeout(timer);
      asking.destroy();
      reject(refusal(statusCode, address, proxy));
    });
    asking.once('error', (cause) => {
      clearTimeout(timer);
      reject(new NetworkError('network/proxy-unreachable', `proxy ${proxy.address}: ${cause.message}.`, { cause }));
    });
    asking.end();
  });
}

function refusal(status: number, address: string, proxy: Proxy): NetworkError {
  return status === 407
    ? new NetworkError(
        'network/proxy-credentials',
        `proxy ${proxy.address} wants credentials${proxy.credentials === undefined ? '' : ' other than those it was given'}.`,
      )
    : new NetworkError(
        'network/proxy-refused',
        `proxy ${proxy.address} answered ${String(status)} when asked for a connection to ${address}.`,
      );
}

function isUnknownHost(cause: Error): boolean {
  return 'code' in cause && (cause.code === 'ENOTFOUND' || cause.code === 'EAI_AGAIN');
}

// gRPC by hand over node:http2, for callers that no well-behaved client would be.

import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { connect } from 'node:http2';
import type { SecureVersion } from 'node:tls';
import { onTestFinished } from 'vitest';
import type { TlsMaterial } from '../../src/transport/index.js';

export interface Outcome {
  /** gRPC's status number, or 'broken' when the stream or its connection went away without one. */
  readonly status: number | 'broken';
  readonly code: string | undefined;
  readonly text: string | undefined;
}

export interface DialOptions {
  readonly tls: Partial<TlsMaterial> & Pick<TlsMaterial, 'authorityPem'>;
  readonly maxVersion?: SecureVersion;
}

export function dial(address: string, { tls, maxVersion }: DialOptions): ClientHttp2Session {
  const session = connect(`https://${address.replace('127.0.0.1', 'localhost')}`, {
    ca: tls.authorityPem,
    ...(tls.chainPem === undefined ? {} : { cert: tls.chainPem }),
    ...(tls.privateKeyPem === undefined ? {} : { key: tls.privateKeyPem }),
    ...(maxVersion === undefined ? {} : { maxVersion }),
    lookup: (_name, _options, callback) => {
      callback(null, [{ address: '127.0.0.1', family: 4 }]);
    },
  });
  session.on('error', () => undefined);
  onTestFinished(() => {
    session.destroy();
  });
  return session;
}

export function framed(message: Uint8Array): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}

export function open(session: ClientHttp2Session, path: string): ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.on('error', () => undefined);
  return stream;
}

export function outcomeOf(stream: ClientHttp2Stream): Promise<Outcome> {
  return new Promise((resolve) => {
    const read = (headers: Record<string, unknown>): void => {
      const status = headers['grpc-status'];
      if (typeof status !== 'string') return;
      const code = headers['veilsum-code'];
      const text = headers['grpc-message'];
      resolve({
        status: Number(status),
        code: typeof code === 'string' ? code : undefined,
        text: typeof text === 'string' ? decodeURI(text) : undefined,
      });
    };
    stream.on('response', read);
    stream.on('trailers', read);
    stream.on('close', () => {
      resolve({ status: 'broken', code: undefined, text: undefined });
    });
    stream.resume();
  });
}

/** One request message, one outcome. */
export function rawCall(
  session: ClientHttp2Session,
  path: string,
  message: Uint8Array = new Uint8Array(0),
): Promise<Outcome> {
  const stream = open(session, path);
  const outcome = outcomeOf(stream);
  stream.end(framed(message));
  return outcome;
}

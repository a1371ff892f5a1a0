// The authority's service over HTTPS: two calls, small bodies, TLS 1.3. Enrolment comes from machines without a certificate; renewal
// wants one. Its own certificate is made here at the start and again long before its end, for the authority's key is at hand.

import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { concat, unixMs, type Clock, type Rng } from '../../src/base/index.js';
import { EnrolmentError, refusalBody } from '../../src/enrolment/index.js';
import { splitAddress } from '../../src/network/index.js';
import { issueForService } from '../../src/pki/index.js';
import { errorFields, type Log } from '../../src/telemetry/index.js';
import { WireError } from '../../src/wire/index.js';
import { loadAuthority, trustedPem } from '../commands/authority-folder.js';
import { type Desk, type Handed, REQUEST_BYTES } from './desk.js';

const HOUR_MS = 3_600_000;
/** Of the service's own certificate; made anew every few minutes so that a roll-over of the authority shows soon. */
const OWN_LIFETIME_MS = 24 * HOUR_MS;
const OWN_RENEWAL_MS = 10 * 60_000;
/** Members that call at once are few, and each is done in a moment. */
const CONNECTIONS_MAX = 64;
const REQUEST_MS = 20_000;

export interface ServiceOptions {
  readonly desk: Desk;
  readonly folder: string;
  readonly listen: string;
  /** Names and addresses under which members reach it. */
  readonly hosts: readonly string[];
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
}

export interface RunningService {
  readonly port: number;
  close(): Promise<void>;
}

export async function startService(options: ServiceOptions): Promise<RunningService> {
  const { listen, log } = options;
  const server = createServer(
    { ...(await ownMaterial(options)), requestCert: true, rejectUnauthorized: false, handshakeTimeout: REQUEST_MS },
    (request, response) => {
      void answer(options, request, response);
    },
  );
  server.maxConnections = CONNECTIONS_MAX;
  server.requestTimeout = REQUEST_MS;
  server.headersTimeout = REQUEST_MS;
  // Handshakes that fail are the network's daily noise.
  server.on('tlsClientError', () => undefined);
  const { host, port } = splitAddress(listen);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const timer = setInterval(() => {
    ownMaterial(options).then(
      (material) => {
        server.setSecureContext(material);
      },
      (cause: unknown) => {
        log.error('certificate.kept', errorFields(cause));
      },
    );
  }, OWN_RENEWAL_MS);
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      clearInterval(timer);
      return closed(server);
    },
  };
}

async function ownMaterial({ folder, hosts, clock, rng }: ServiceOptions) {
  const authority = await loadAuthority(folder);
  const ends = authority.certificate.notAfter.getTime();
  const now = clock.now();
  const issued = await issueForService(authority, {
    hosts,
    lifetimeMs: Math.max(1, Math.min(OWN_LIFETIME_MS, unixMs(ends) - now - 1000)),
    now,
    rng,
  });
  const material = {
    // With the authority's own: a member who knows its fingerprint alone must be able to see it.
    cert: `${issued.certificatePem.trim()}\n${authority.certificate.toString('pem').trim()}\n`,
    key: issued.privateKeyPem,
    ca: await trustedPem(folder),
    minVersion: 'TLSv1.3' as const,
  };
  createSecureContext(material);
  return material;
}

async function answer(
  { desk, log }: ServiceOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = `${request.method ?? ''} ${(request.url ?? '').slice(0, 100)}`;
  const from = request.socket.remoteAddress ?? 'unknown';
  try {
    if (path === 'GET /v1/health') {
      response.end('ok\n');
      return;
    }
    const handed = await handle(desk, path, request);
    log.info('certificate.issued', { path, role: handed.identity.role, id: handed.identity.id, from });
    response.writeHead(200, { 'Content-Type': 'application/x-protobuf' }).end(handed.answer);
  } catch (cause) {
    const { status, body } = refusalBody(cause);
    log[status === 500 ? 'error' : 'warn']('certificate.refused', { path, from, ...errorFields(cause) });
    response.writeHead(status, { 'Content-Type': 'application/json', Connection: 'close' }).end(body);
  }
}

async function handle(desk: Desk, path: string, request: IncomingMessage): Promise<Handed> {
  if (path === 'POST /v1/enrol') return desk.enrol(await bodyOf(request));
  if (path === 'POST /v1/renew') {
    const { socket } = request;
    if (!(socket instanceof TLSSocket) || !socket.authorized)
      throw new EnrolmentError('enrolment/no-certificate', 'the connection has no certificate of this authority.');
    return desk.renew(await bodyOf(request), new Uint8Array(socket.getPeerCertificate().raw));
  }
  throw new EnrolmentError(
    'enrolment/bad-answer',
    'there is nothing at this address: both ends run different versions.',
  );
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  // A request without encoding yields buffers.
  for await (const piece of request as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > REQUEST_BYTES)
      throw new WireError('wire/too-large', `a request may have ${String(REQUEST_BYTES)} bytes.`);
    pieces.push(piece);
  }
  return concat(...pieces);
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeIdleConnections();
  });
}

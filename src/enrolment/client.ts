// The member's side: one HTTPS call for a certificate, with everything checked that comes back.

import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { request as httpsRequest } from 'node:https';
import { checkServerIdentity, connect, type PeerCertificate, type TLSSocket } from 'node:tls';
import { concat, equalBytes, hex, LIMITS } from '../base/index.js';
import type { SigningKey } from '../crypto/index.js';
import { openSocket, splitAddress } from '../network/index.js';
import {
  authorityServiceUri,
  type CertificateRequest as MadeRequest,
  certificatesIn,
  type Identity,
  identityFromCertificate,
  inspectCertificate,
  type TlsTexts,
} from '../pki/index.js';
import { readRoster, type Roster } from '../protocol/index.js';
import { systemClock } from '../system/index.js';
import {
  CertificateAnswer,
  decode,
  encode,
  EnrolRequest,
  type MessageType,
  RenewRequest,
  WireError,
} from '../wire/index.js';
import type { Endpoint } from './endpoint.js';
import { EnrolmentError } from './errors.js';
import { pinAuthority } from './pin.js';
import { prove } from './proof.js';
import { refusalFrom } from './refusal.js';
import { type Token, tokenHash } from './token.js';

/** For one call in all, also over a slow line: the bodies are small. */
const CALL_MS = 30_000;
/** Bytes of an answer: certificates and a roster. */
const ANSWER_BYTES = LIMITS.manifestBytes + 2 * LIMITS.certificateBytes;

/** What a member has after the call. */
export interface Certified {
  /** The certificate, then its issuer's. */
  readonly chainPem: string;
  /** All authorities that count now. */
  readonly authoritiesPem: string;
  readonly roster: Roster;
  readonly rosterBytes: Uint8Array;
}

/** The first certificate. Throws EnrolmentError, NetworkError. */
export async function enrol(token: Token, key: SigningKey, made: MadeRequest, endpoint: Endpoint): Promise<Certified> {
  const identity = identityOf(token);
  const pinned = await pinAuthority(endpoint, token.fingerprint, CALL_MS);
  const proof = { consortium: token.consortium, identity, basis: tokenHash(token.secret) };
  const body = encode(EnrolRequest, { secret: token.secret, request: prove(key, proof, made.requestPem) });
  const answer = await post(endpoint, '/v1/enrol', body, { consortium: token.consortium, ca: pinned });
  const certified = checked(answer, token.consortium, identity, made);
  if (!equalBytes(certified.roster.hash, token.rosterHash))
    throw new EnrolmentError(
      'enrolment/other-roster',
      `the roster has the hash ${hex(certified.roster.hash)}, the token names ${hex(token.rosterHash)}.`,
    );
  const counts = certificatesIn(certified.authoritiesPem).map((pem) => inspectCertificate(pem).fingerprint);
  if (!counts.includes(hex(token.fingerprint)))
    throw new EnrolmentError('enrolment/bad-answer', 'the token’s authority is not among those that count.');
  return certified;
}

export interface Renewal {
  readonly consortium: string;
  readonly identity: Identity;
  /** What is in use now. */
  readonly tls: TlsTexts;
}

/** The next certificate, over a connection with the present one. Throws EnrolmentError, NetworkError. */
export async function renew(
  { consortium, identity, tls }: Renewal,
  key: SigningKey,
  made: MadeRequest,
  endpoint: Endpoint,
): Promise<Certified> {
  const basis = new Uint8Array(createHash('sha256').update(new X509Certificate(tls.chainPem).raw).digest());
  const body = encode(RenewRequest, { request: prove(key, { consortium, identity, basis }, made.requestPem) });
  const answer = await post(endpoint, '/v1/renew', body, {
    consortium,
    ca: tls.authorityPem,
    cert: tls.chainPem,
    key: tls.privateKeyPem,
  });
  return checked(answer, consortium, identity, made);
}

function identityOf({ role, id }: Token): Identity {
  if (role !== 'silo') throw new EnrolmentError('enrolment/bad-token', `this token is for a ${role}, not for a silo.`);
  return { role, id };
}

/** The certificate is the one that was asked for, it is signed by an authority that counts, and the roster parses. */
function checked(bytes: Uint8Array, consortium: string, identity: Identity, made: MadeRequest): Certified {
  const { chainPem, authoritiesPem, roster } = parsed(CertificateAnswer, bytes);
  const bad = (why: string): EnrolmentError => new EnrolmentError('enrolment/bad-answer', `the certificate ${why}.`);
  const [leafPem, issuerPem] = certificatesIn(chainPem);
  if (leafPem === undefined || issuerPem === undefined) throw bad('came without its issuer’s');
  const leaf = new X509Certificate(leafPem);
  const found = identityFromCertificate(leaf.raw, consortium, systemClock.now());
  if (!found.ok) throw bad(`cannot be used here: ${found.error.describe()}`);
  if (found.value.role !== identity.role || found.value.id !== identity.id)
    throw bad(`is for ${found.value.uri}, not for ${identity.role} ${identity.id}`);
  if (!leaf.checkPrivateKey(createPrivateKey(made.privateKeyPem)))
    throw bad('is for another key than the one that was sent');
  const issuer = inspectCertificate(issuerPem).fingerprint;
  const authorities = certificatesIn(authoritiesPem);
  if (
    !authorities.some((pem) => inspectCertificate(pem).fingerprint === issuer) ||
    !leaf.verify(new X509Certificate(issuerPem).publicKey)
  )
    throw bad('is not signed by an authority that counts');
  return { chainPem, authoritiesPem, roster: readRoster(roster), rosterBytes: roster };
}

function parsed<T>(type: MessageType<T>, bytes: Uint8Array): T {
  try {
    return decode(type, 'answer of the authority', bytes, ANSWER_BYTES);
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new EnrolmentError('enrolment/bad-answer', cause.message, { cause });
  }
}

interface TlsSide {
  readonly consortium: string;
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
}

/** The service's clock, in milliseconds with the precision of a second. Throws EnrolmentError, NetworkError. */
export async function askTime(endpoint: Endpoint, consortium: string, ca: string): Promise<number> {
  const tls = await secured(endpoint, { consortium, ca });
  try {
    return await new Promise((resolve, reject) => {
      const call = httpsRequest(
        { path: '/v1/health', createConnection: () => tls, headers: { Host: endpoint.address }, timeout: CALL_MS },
        (response) => {
          response.resume();
          const at = Date.parse(response.headers.date ?? '');
          if (Number.isNaN(at))
            reject(new EnrolmentError('enrolment/bad-answer', 'the service does not tell its time.'));
          else resolve(at);
        },
      );
      call.on('timeout', () => call.destroy(new Error('no answer in time')));
      call.on('error', (cause) => {
        reject(new EnrolmentError('enrolment/busy', `${endpoint.address}: ${cause.message}.`, { cause }));
      });
      call.end();
    });
  } finally {
    tls.destroy();
  }
}

async function post(endpoint: Endpoint, path: string, body: Uint8Array, side: TlsSide): Promise<Uint8Array> {
  const tls = await secured(endpoint, side);
  try {
    return await new Promise((resolve, reject) => {
      const fail = (cause: Error): void => {
        const text = `${endpoint.address}: ${cause.message}.`;
        reject(cause instanceof EnrolmentError ? cause : new EnrolmentError('enrolment/busy', text, { cause }));
      };
      const call = httpsRequest(
        {
          method: 'POST',
          path,
          createConnection: () => tls,
          headers: { Host: endpoint.address, 'Content-Type': 'application/x-protobuf', 'Content-Length': body.length },
          timeout: CALL_MS,
        },
        (response) => {
          const pieces: Uint8Array[] = [];
          let size = 0;
          response.on('data', (piece: Uint8Array) => {
            size += piece.length;
            if (size > ANSWER_BYTES)
              call.destroy(new EnrolmentError('enrolment/bad-answer', 'the answer does not end.'));
            pieces.push(piece);
          });
          response.on('error', fail);
          response.on('end', () => {
            const answer = concat(...pieces);
            const { statusCode = 0 } = response;
            if (statusCode === 200) resolve(answer);
            else reject(refusalFrom(statusCode, answer));
          });
        },
      );
      call.on('timeout', () => call.destroy(new Error('no answer in time')));
      call.on('error', fail);
      call.end(body);
    });
  } finally {
    tls.destroy();
  }
}

async function secured(endpoint: Endpoint, { consortium, ...material }: TlsSide): Promise<TLSSocket> {
  const socket = await openSocket({ ...endpoint, timeoutMs: CALL_MS });
  const host = endpoint.serverName ?? splitAddress(endpoint.address).host;
  return new Promise((resolve, reject) => {
    const tls = connect({
      ...material,
      socket,
      minVersion: 'TLSv1.3',
      ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
      checkServerIdentity: (_host, certificate) => serverFault(host, certificate, consortium),
    });
    const timer = setTimeout(() => tls.destroy(new Error('no answer in time')), CALL_MS);
    tls.once('secureConnect', () => {
      clearTimeout(timer);
      resolve(tls);
    });
    tls.once('error', (cause: Error) => {
      clearTimeout(timer);
      reject(new EnrolmentError('enrolment/other-authority', `${endpoint.address}: ${cause.message}.`, { cause }));
    });
  });
}

function serverFault(host: string, certificate: PeerCertificate, consortium: string): Error | undefined {
  const wrongHost = checkServerIdentity(host, certificate);
  if (wrongHost !== undefined) return wrongHost;
  const uri = authorityServiceUri(consortium);
  const names = (certificate.subjectaltname ?? '').split(', ');
  return names.includes(`URI:${uri}`) ? undefined : new Error(`its certificate does not name ${uri}`);
}

// A token as text: one word that survives e-mail, with a checksum against lost characters. Its secret is random, so the authority may
// keep a plain hash of it.

import { concat, equalBytes, type UnixMs, unixMs } from '../base/index.js';
import { createHash } from 'node:crypto';
import { decode, encode, EnrolmentToken, WireError } from '../wire/index.js';
import { EnrolmentError } from './errors.js';

const PREFIX = 'veilsum-token-';
const VERSION = 1;
const CHECKSUM_BYTES = 4;
export const SECRET_BYTES = 32;
/** Bytes of a token: three names, three addresses, three times 32 bytes. */
const TOKEN_BYTES = 2048;

export interface Token {
  readonly consortium: string;
  readonly role: string;
  readonly id: string;
  readonly expires: UnixMs;
  /** `host:port` of the authority's service. */
  readonly authority: string;
  readonly coordinator: string;
  readonly coordinatorServerName: string | undefined;
  /** SHA-256 of the authority's certificate, 32 bytes. */
  readonly fingerprint: Uint8Array;
  /** 32 bytes. */
  readonly rosterHash: Uint8Array;
  /** 32 bytes, the secret part. */
  readonly secret: Uint8Array;
}

export function tokenHash(secret: Uint8Array): Uint8Array<ArrayBuffer> {
  return sha256(secret);
}

export function formatToken(token: Token): string {
  const bytes = encode(EnrolmentToken, {
    version: VERSION,
    consortiumId: token.consortium,
    role: token.role,
    id: token.id,
    expiresUnixMs: BigInt(token.expires),
    authorityAddress: token.authority,
    coordinatorAddress: token.coordinator,
    coordinatorServerName: token.coordinatorServerName ?? '',
    authorityFingerprint: token.fingerprint,
    rosterHash: token.rosterHash,
    secret: token.secret,
  });
  return PREFIX + Buffer.from(concat(bytes, sha256(bytes).subarray(0, CHECKSUM_BYTES))).toString('base64url');
}

/** Throws EnrolmentError `enrolment/bad-token`. White space and line breaks that mail programs put in are no fault. */
export function parseToken(text: string): Token {
  const compact = text.replace(/\s+/g, '');
  if (!compact.startsWith(PREFIX) || !/^[\w-]+$/.test(compact)) throw bad(`a token begins with ${PREFIX}`);
  const all = new Uint8Array(Buffer.from(compact.slice(PREFIX.length), 'base64url'));
  const bytes = all.subarray(0, Math.max(0, all.length - CHECKSUM_BYTES));
  if (!equalBytes(sha256(bytes).subarray(0, CHECKSUM_BYTES), all.subarray(bytes.length)))
    throw bad('its checksum is wrong');
  const token = parse(bytes);
  const { version, secret, authorityFingerprint, rosterHash } = token;
  if (version !== VERSION) throw bad(`it has version ${String(version)}, this program knows ${String(VERSION)}`);
  if ([secret, authorityFingerprint, rosterHash].some(({ length }) => length !== SECRET_BYTES))
    throw bad('a hash in it does not have 32 bytes');
  return {
    consortium: token.consortiumId,
    role: token.role,
    id: token.id,
    expires: unixMs(Number(token.expiresUnixMs)),
    authority: token.authorityAddress,
    coordinator: token.coordinatorAddress,
    coordinatorServerName: token.coordinatorServerName === '' ? undefined : token.coordinatorServerName,
    fingerprint: authorityFingerprint,
    rosterHash,
    secret,
  };
}

function parse(bytes: Uint8Array): EnrolmentToken {
  try {
    return decode(EnrolmentToken, 'token', bytes, TOKEN_BYTES);
  } catch (cause) {
    if (cause instanceof WireError) throw bad('it does not parse');
    throw cause;
  }
}

function bad(why: string): EnrolmentError {
  return new EnrolmentError('enrolment/bad-token', `this is no enrolment token: ${why}.`);
}

function sha256(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}

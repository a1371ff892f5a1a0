// The book of tokens: one small file for each, named by the hash of its secret, and a second one beside it when it has been used. The
// second is made with an operation that only one can win, so two machines that race with one token leave exactly one enrolled, however
// many processes serve.

import { join } from 'node:path';
import { hex, isoTime, unixMs, utf8, type UnixMs } from '../../src/base/index.js';
import { EnrolmentError, tokenHash } from '../../src/enrolment/index.js';
import type { Identity } from '../../src/pki/index.js';
import { isRole, PkiError } from '../../src/pki/index.js';
import { makeDirectory, readSmallFile, SystemError, writeFileDurably } from '../../src/system/index.js';

/** Bytes of one file of the book. */
const RECORD_BYTES = 4096;

export interface TokenRecord {
  readonly identity: Identity;
  readonly expires: UnixMs;
}

export class TokenBook {
  readonly #folder: string;

  /** `folder`: of the authority. */
  constructor(folder: string) {
    this.#folder = join(folder, 'tokens');
  }

  async add(secret: Uint8Array, { identity, expires }: TokenRecord): Promise<void> {
    await makeDirectory(this.#folder);
    await this.#write(`${name(secret)}.json`, { ...identity, expires });
  }

  /** Whose token this is, without using it. Throws EnrolmentError `enrolment/token-unknown`, `-expired`. */
  async ownerOf(secret: Uint8Array, now: UnixMs): Promise<Identity> {
    const record = recordOf(await this.#json(`${name(secret)}.json`));
    if (record === undefined) throw new EnrolmentError('enrolment/token-unknown', 'no such token was made here.');
    if (now > record.expires)
      throw new EnrolmentError('enrolment/token-expired', `the token ended at ${isoTime(record.expires)}.`);
    return record.identity;
  }

  /**
   * Uses a token for a key, for good. Asking again with the same key is the same use: its owner did not get the answer. Throws
   * EnrolmentError `enrolment/token-unknown`, `-expired`, `-used`.
   */
  async use(secret: Uint8Array, keyHash: string, now: UnixMs): Promise<Identity> {
    const identity = await this.ownerOf(secret, now);
    try {
      await this.#write(`${name(secret)}.used`, { key: keyHash, at: now });
    } catch (cause) {
      if (!(cause instanceof SystemError) || cause.code !== 'system/exists') throw cause;
      const used = await this.#json(`${name(secret)}.used`);
      if (used?.['key'] !== keyHash)
        throw new EnrolmentError('enrolment/token-used', 'the token has been used, for another key.');
    }
    return identity;
  }

  async #json(file: string): Promise<Readonly<Record<string, unknown>> | undefined> {
    try {
      const bytes = await readSmallFile(join(this.#folder, file), RECORD_BYTES);
      const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
      // Any object may be read by name; what is read is checked where it is used.
      return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
    } catch (cause) {
      if (cause instanceof SystemError && cause.code === 'system/not-found') return undefined;
      throw cause;
    }
  }

  async #write(file: string, value: object): Promise<void> {
    const path = join(this.#folder, file);
    await writeFileDurably(path, utf8(`${JSON.stringify(value)}\n`), { mode: 0o600, replace: false });
  }
}

function name(secret: Uint8Array): string {
  return hex(tokenHash(secret));
}

function recordOf(value: Readonly<Record<string, unknown>> | undefined): TokenRecord | undefined {
  if (value === undefined) return undefined;
  const { role, id, expires } = value;
  if (typeof role !== 'string' || !isRole(role) || typeof id !== 'string' || typeof expires !== 'number')
    throw new PkiError('pki/unreadable', 'a file in the folder of tokens is damaged');
  return { identity: { role, id }, expires: unixMs(expires) };
}

// Certificates withdrawn before their time. A plain file that a person can read and edit: one serial a line, the rest is a comment.
// Certificates are short-lived, so the list stays small; it is checked on every call, because connections outlive decisions.

import { readFile, stat } from 'node:fs/promises';
import { fromUtf8, LIMITS, utf8 } from '../base/index.js';
import { fileError, writeFileDurably } from '../system/index.js';
import { PkiError } from './errors.js';
import { canonicalSerial } from './x509.js';

export interface Revocations {
  /** `serial` in lower-case hexadecimal without leading zeros, as in PeerIdentity. */
  isRevoked(serial: string): boolean;
}

export function parseRevocations(text: string): ReadonlySet<string> {
  const serials = new Set<string>();
  text.split('\n').forEach((line, index) => {
    const content = line.replace(/#.*$/, '').trim();
    if (content === '') return;
    // Both openssl's and our own spelling: upper or lower case, colons allowed.
    const serial = content.replaceAll(':', '').toLowerCase();
    if (!/^[0-9a-f]{1,40}$/.test(serial))
      throw new PkiError('pki/bad-revocation-list', `line ${String(index + 1)} is not a serial number in hexadecimal`);
    serials.add(canonicalSerial(serial));
  });
  return serials;
}

/** A revocation file that is read again when it changes. A list that cannot be read keeps the last good one, and says so. */
export class RevocationFile implements Revocations {
  readonly #path: string;
  #serials: ReadonlySet<string>;
  #version: string;

  private constructor(path: string, serials: ReadonlySet<string>, version: string) {
    this.#path = path;
    this.#serials = serials;
    this.#version = version;
  }

  /** Fails when the file is missing or unreadable: starting without the list would let the revoked in. */
  static async open(path: string): Promise<RevocationFile> {
    const { serials, version } = await load(path);
    return new RevocationFile(path, serials, version);
  }

  get size(): number {
    return this.#serials.size;
  }

  isRevoked(serial: string): boolean {
    return this.#serials.has(serial);
  }

  /** True when a changed list was taken. Throws when the file cannot be read; the last good list then stays in force. */
  async refresh(): Promise<boolean> {
    const version = await versionOf(this.#path);
    if (version === this.#version) return false;
    const loaded = await load(this.#path);
    this.#serials = loaded.serials;
    this.#version = loaded.version;
    return true;
  }
}

/** Adds a serial to the file (created when missing), with a note for people. Nothing happens when it is already there. */
export async function revoke(path: string, serial: string, note: string): Promise<void> {
  const [added] = parseRevocations(serial);
  if (added === undefined) throw new PkiError('pki/bad-revocation-list', 'no serial number given');
  const text = await readText(path).catch((cause: unknown) => {
    if (fileError('reading', path, cause).code === 'system/not-found') return '';
    throw cause;
  });
  if (parseRevocations(text).has(added)) return;
  const line = `${added}  # ${note.replace(/\s+/g, ' ')}\n`;
  await writeFileDurably(path, utf8(text === '' || text.endsWith('\n') ? text + line : `${text}\n${line}`));
}

async function load(path: string): Promise<{ serials: ReadonlySet<string>; version: string }> {
  // The version is taken first: a change in between is seen again by the next refresh.
  const version = await versionOf(path);
  return { serials: parseRevocations(await readText(path)), version };
}

async function readText(path: string): Promise<string> {
  try {
    const bytes = await readFile(path);
    if (bytes.length > LIMITS.configBytes)
      throw new PkiError('pki/bad-revocation-list', `${path} has more than ${String(LIMITS.configBytes)} bytes`);
    return fromUtf8(bytes);
  } catch (cause) {
    if (cause instanceof PkiError) throw cause;
    if (cause instanceof TypeError)
      throw new PkiError('pki/bad-revocation-list', `${path} is not UTF-8 text`, { cause });
    throw fileError('reading', path, cause);
  }
}

async function versionOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(path);
    return `${String(ino)}/${String(size)}/${String(mtimeMs)}`;
  } catch (cause) {
    throw fileError('reading', path, cause);
  }
}

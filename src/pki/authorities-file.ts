// The authorities that count, in one file: one, or two while one follows another. Exchanged while a program runs; what cannot be used is
// reported, and the last good ones stay.

import { stat } from 'node:fs/promises';
import { X509Certificate } from 'node:crypto';
import { fromUtf8, LIMITS } from '../base/index.js';
import { fileError, readSmallFile } from '../system/index.js';
import { certificatesIn } from './bundle.js';
import { PkiError } from './errors.js';

/** More roots than an orderly roll-over ever has. */
const AUTHORITIES_MAX = 8;

/** The same certificates in PEM. Throws PkiError `pki/unreadable`, `pki/not-an-authority`. */
export function parseAuthorities(text: string): string {
  const certificates = certificatesIn(text);
  if (certificates.length === 0 || certificates.length > AUTHORITIES_MAX)
    throw new PkiError(
      'pki/unreadable',
      `a file of authorities holds 1 to ${String(AUTHORITIES_MAX)} certificates; ${String(certificates.length)} were found`,
    );
  // A torn file ends in the middle of a block, which is none of those found.
  if ((text.match(/-----BEGIN CERTIFICATE-----/g) ?? []).length !== certificates.length)
    throw new PkiError('pki/unreadable', 'the file of authorities ends in the middle of a certificate');
  certificates.forEach((pem, index) => {
    if (!isAuthority(pem))
      throw new PkiError('pki/not-an-authority', `certificate ${String(index + 1)} in the file is no authority's`);
  });
  return certificates.join('');
}

function isAuthority(pem: string): boolean {
  try {
    return new X509Certificate(pem).ca;
  } catch (cause) {
    throw new PkiError('pki/unreadable', 'a certificate in the file of authorities cannot be read', { cause });
  }
}

export class AuthoritiesFile {
  readonly #path: string;
  #current: string;
  #version: string;

  private constructor(path: string, current: string, version: string) {
    this.#path = path;
    this.#current = current;
    this.#version = version;
  }

  static async open(path: string): Promise<AuthoritiesFile> {
    const version = await versionOf(path);
    return new AuthoritiesFile(path, await load(path), version);
  }

  /** PEM. */
  get current(): string {
    return this.#current;
  }

  /** True when a changed file was taken. Throws when it cannot be used; `current` is then what it was. */
  async refresh(): Promise<boolean> {
    const version = await versionOf(this.#path);
    if (version === this.#version) return false;
    this.#current = await load(this.#path);
    this.#version = version;
    return true;
  }
}

async function load(path: string): Promise<string> {
  return parseAuthorities(fromUtf8(await readSmallFile(path, LIMITS.certificateBytes)));
}

async function versionOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(path);
    return [ino, size, mtimeMs].map(String).join('/');
  } catch (cause) {
    throw fileError('reading', path, cause);
  }
}

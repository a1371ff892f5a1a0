// One file holds a member's certificate, its authority's, and its private key. One file, because a reader that meets the new certificate
// beside the old key would turn every connection away until somebody looks.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { fromUtf8, LIMITS, utf8 } from '../base/index.js';
import { fileError, readSecretFile, writeSecretFile } from '../system/index.js';
import { PkiError } from './errors.js';

export interface Bundle {
  /** Leaf first, then its issuers. */
  readonly chainPem: string;
  readonly leafPem: string;
  /** The last certificate of the chain: what the other side's certificate is checked against. */
  readonly authorityPem: string;
  /** Secret. */
  readonly privateKeyPem: string;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;
const PRIVATE_KEY = /-----BEGIN PRIVATE KEY-----[\s\S]*?-----END PRIVATE KEY-----/g;

/** The certificates in a PEM text, each by itself. */
export function certificatesIn(pem: string): string[] {
  return [...pem.matchAll(CERTIFICATE)].map(([block]) => `${block}\n`);
}

/** Reads a bundle's text and checks that it is whole: the leaf is signed by the next, and so on, and the key is the leaf's. */
export function parseBundle(text: string): Bundle {
  if (utf8(text).length > LIMITS.certificateBytes)
    throw new PkiError('pki/unreadable', `a bundle has at most ${String(LIMITS.certificateBytes)} bytes`);
  const certificates = certificatesIn(text);
  const keys = [...text.matchAll(PRIVATE_KEY)].map(([block]) => `${block}\n`);
  const [leafPem] = certificates;
  const authorityPem = certificates.at(-1);
  const [privateKeyPem] = keys;
  if (leafPem === undefined || authorityPem === undefined || certificates.length < 2)
    throw new PkiError('pki/unreadable', 'a bundle holds a certificate and its authority’s; fewer were found');
  if (privateKeyPem === undefined || keys.length > 1)
    throw new PkiError(
      'pki/unreadable',
      `a bundle holds exactly one private key (PKCS #8); ${String(keys.length)} were found`,
    );
  checkChain(certificates);
  if (!belongs(leafPem, privateKeyPem))
    throw new PkiError('pki/key-mismatch', 'the bundle’s private key does not belong to its first certificate');
  return { chainPem: certificates.join(''), leafPem, authorityPem, privateKeyPem };
}

function checkChain(certificates: readonly string[]): void {
  const parsed = certificates.map(parse);
  parsed.forEach((certificate, index) => {
    // The last one signs itself.
    const issuer = parsed[Math.min(index + 1, parsed.length - 1)];
    if (issuer === undefined || !issuer.ca || !isSignedBy(certificate, issuer))
      throw new PkiError('pki/not-an-authority', `certificate ${String(index + 1)} is not signed by the one after it`);
  });
}

function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.verify(issuer.publicKey);
  } catch (cause) {
    // The key inside is parsed only now.
    throw new PkiError('pki/unreadable', 'the key of a certificate in the file cannot be read', { cause });
  }
}

function parse(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new PkiError('pki/unreadable', 'a certificate in the file cannot be read', { cause });
  }
}

function belongs(leafPem: string, privateKeyPem: string): boolean {
  try {
    return parse(leafPem).checkPrivateKey(createPrivateKey(privateKeyPem));
  } catch {
    // The cause is left out: a parser's message could quote the key.
    throw new PkiError('pki/unreadable', 'the bundle’s private key cannot be read');
  }
}

export interface BundleParts {
  readonly certificatePem: string;
  readonly authorityPem: string;
  readonly privateKeyPem: string;
}

/** Checks the parts against each other and writes them with mode 0600. */
export async function writeBundle(
  path: string,
  parts: BundleParts,
  options: { replace?: boolean } = {},
): Promise<Bundle> {
  const text = [parts.certificatePem, parts.authorityPem, parts.privateKeyPem]
    .map((part) => `${part.trim()}\n`)
    .join('');
  const bundle = parseBundle(text);
  await writeSecretFile(path, utf8(text), options);
  return bundle;
}

export async function readBundle(path: string): Promise<Bundle> {
  return parseBundle(fromUtf8(await readSecretFile(path)));
}

/** A bundle file that is exchanged while the program runs. What cannot be used is reported, and the last good one stays in use. */
export class BundleFile {
  readonly #path: string;
  #current: Bundle;
  #version: string;

  private constructor(path: string, current: Bundle, version: string) {
    this.#path = path;
    this.#current = current;
    this.#version = version;
  }

  static async open(path: string): Promise<BundleFile> {
    const version = await versionOf(path);
    return new BundleFile(path, await readBundle(path), version);
  }

  get current(): Bundle {
    return this.#current;
  }

  /**
   * True when a new bundle was taken. Throws when the file cannot be used, or with what `accept` throws of it; `current` is then what
   * it was.
   */
  async refresh(accept: (current: Bundle, next: Bundle) => void = () => undefined): Promise<boolean> {
    const version = await versionOf(this.#path);
    if (version === this.#version) return false;
    const next = await readBundle(this.#path);
    accept(this.#current, next);
    this.#current = next;
    this.#version = version;
    return true;
  }
}

async function versionOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeMs, mode } = await stat(path);
    return [ino, size, mtimeMs, mode].map(String).join('/');
  } catch (cause) {
    throw fileError('reading', path, cause);
  }
}

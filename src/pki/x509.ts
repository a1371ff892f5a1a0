// The door to @peculiar/x509. It needs the metadata shim loaded before it, and must reject whatever it cannot parse with our own code.

import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { createPublicKey, webcrypto } from 'node:crypto';
import { PkiError } from './errors.js';

export { x509 };
export type KeyPair = webcrypto.CryptoKeyPair;

export const KEY_ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' } as const;
export const SIGNING_ALGORITHM = { name: 'ECDSA', hash: 'SHA-256' } as const;

/** A fresh P-256 pair; extractable, because the private half goes into a 0600 file. */
export function generateKeys(): Promise<KeyPair> {
  return webcrypto.subtle.generateKey(KEY_ALGORITHM, true, ['sign', 'verify']);
}

/** PKCS #8 in PEM, a secret. */
export async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}

export async function importPrivateKey(pem: string): Promise<webcrypto.CryptoKey> {
  try {
    const [der] = x509.PemConverter.decode(pem);
    if (der === undefined) throw new Error('no PEM block');
    return await webcrypto.subtle.importKey('pkcs8', der, KEY_ALGORITHM, true, ['sign']);
  } catch {
    // The cause is left out: a parser's message could quote the key.
    throw new PkiError('pki/unreadable', 'not a P-256 private key in PKCS #8 PEM');
  }
}

/** From PEM or DER. */
export function parseCertificate(raw: string | Uint8Array): x509.X509Certificate {
  try {
    return new x509.X509Certificate(typeof raw === 'string' ? raw : Uint8Array.from(raw));
  } catch (cause) {
    throw new PkiError('pki/unreadable', 'not an X.509 certificate', { cause });
  }
}

/** Serial numbers are compared as lower-case hexadecimal without leading zeros. */
export function canonicalSerial(serial: string): string {
  return serial.toLowerCase().replace(/^0+(?=.)/, '');
}

/** The kind of a public key for people and for comparison: `ec prime256v1`, `ed25519`, `rsa`. */
export function keyKind(key: x509.PublicKey): string {
  const parsed = createPublicKey({ key: Buffer.from(key.rawData), format: 'der', type: 'spki' });
  const curve = parsed.asymmetricKeyDetails?.namedCurve;
  return [parsed.asymmetricKeyType, curve].filter((part) => part !== undefined).join(' ');
}

/** The kind of every key in these certificates; prime256v1 is OpenSSL's name of P-256. */
export const MEMBER_KEY_KIND = 'ec prime256v1';

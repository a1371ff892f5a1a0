// The Ed25519 key under which a member signs protocol messages: what the roster names, and what no authority, proxy or coordinator can
// replace. A PKCS #8 PEM file of mode 0600 on the member's own disk.

import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { fromUtf8, utf8 } from '../base/index.js';
import { SecretBytes } from '../crypto/index.js';
import { readSecretFile, writeSecretFile } from '../system/index.js';
import { PkiError } from './errors.js';

export interface SigningKeyFile {
  /** 32 bytes, as in the roster. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
  /** The 32 bytes of RFC 8032 §5.1.5, for crypto's SigningKey. */
  readonly seed: SecretBytes<'signing-seed'>;
}

/** Makes a new key, and refuses to overwrite one unless told to: the roster would no longer know this member. */
export async function createSigningKey(path: string, options: { replace?: boolean } = {}): Promise<SigningKeyFile> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' });
  await writeSecretFile(path, utf8(pem.toString()), options);
  return readSigningKey(path);
}

export async function readSigningKey(path: string): Promise<SigningKeyFile> {
  const file = await readSecretFile(path);
  try {
    const key = createPrivateKey(fromUtf8(file));
    const { crv, x, d } = key.export({ format: 'jwk' });
    if (crv !== 'Ed25519' || x === undefined || d === undefined) throw new Error('another kind of key');
    const seed = new Uint8Array(Buffer.from(d, 'base64url'));
    const secret = SecretBytes.of<'signing-seed'>(seed);
    seed.fill(0);
    return { publicKey: new Uint8Array(Buffer.from(x, 'base64url')), seed: secret };
  } catch {
    // The cause is left out: a parser's message could quote the key.
    throw new PkiError('pki/unreadable', `${path} is not an Ed25519 private key in PKCS #8 PEM`, {
      remedy: 'Create one with veilsum-ca keygen.',
    });
  } finally {
    file.fill(0);
  }
}

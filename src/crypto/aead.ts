// ChaCha20-Poly1305 (RFC 8439) for shares under one-time keys, hence the constant nonce: a key never seals twice (§2.3 P2).

import { createCipheriv, createDecipheriv } from 'node:crypto';
import { concat } from '../base/index.js';
import type { SecretBytes } from './secret.js';

const TAG_BYTES = 16;
const NONCE_ZERO = new Uint8Array(12);

/** Ciphertext and tag. `key` must be used for one plaintext only. */
export function sealOnce(key: SecretBytes, aad: Uint8Array, plaintext: Uint8Array): Uint8Array<ArrayBuffer> {
  return key.lend((k) => {
    const cipher = createCipheriv('chacha20-poly1305', k, NONCE_ZERO, { authTagLength: TAG_BYTES });
    cipher.setAAD(aad, { plaintextLength: plaintext.length });
    return concat(cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
  });
}

/** The plaintext, or undefined when the ciphertext does not open under this key and associated data. */
export function openOnce(key: SecretBytes, aad: Uint8Array, sealed: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  if (sealed.length < TAG_BYTES) return undefined;
  const body = sealed.subarray(0, sealed.length - TAG_BYTES);
  return key.lend((k) => {
    const decipher = createDecipheriv('chacha20-poly1305', k, NONCE_ZERO, { authTagLength: TAG_BYTES });
    decipher.setAAD(aad, { plaintextLength: body.length });
    decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
    try {
      return concat(decipher.update(body), decipher.final());
    } catch {
      // The only failure of a well-formed call is the tag.
      return undefined;
    }
  });
}

// Raw curve secrets as key objects. PKCS #8 is the one form in which node:crypto takes a private key without its public half.

import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { concat, defined, fromHex } from '../base/index.js';
import { fromBase64Url } from './encoding.js';
import type { SecretBytes } from './secret.js';

// PrivateKeyInfo up to the 32 key bytes, with id-X25519 (1.3.101.110) and id-Ed25519 (1.3.101.112), RFC 8410 §7.
const PREFIX = {
  X25519: defined(fromHex('302e020100300506032b656e04220420'), 'prefix'),
  Ed25519: defined(fromHex('302e020100300506032b657004220420'), 'prefix'),
} as const;

export function importPrivateKey(curve: 'X25519' | 'Ed25519', secret: SecretBytes): KeyObject {
  return secret.lend((bytes) => {
    const der = concat(PREFIX[curve], bytes);
    try {
      // node:crypto takes any Uint8Array as DER; its type declarations say Buffer.
      return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' } as unknown as Parameters<
        typeof createPrivateKey
      >[0]);
    } finally {
      der.fill(0);
    }
  });
}

export function publicHalf(key: KeyObject): Uint8Array<ArrayBuffer> {
  return fromBase64Url(defined(createPublicKey(key).export({ format: 'jwk' }).x, 'public key'));
}

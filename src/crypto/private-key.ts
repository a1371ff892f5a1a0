// Raw curve secrets as key objects. PKCS #8 is the one form in which node:crypto takes a private key without its public half.

import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { concat, defined, fromHex, hex } from '../base/index.js';
import { fromBase64Url, toBase64Url } from './encoding.js';
import { SecretBytes } from './secret.js';

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

/**
 * The same for an X25519 secret that is used once, nine times as fast: OpenSSL's decoder takes most of the time that a share costs, and
 * a round of n silos has n of them in each. A copy of the secret stays in memory until it is collected; what lives longer than an
 * attempt goes through `importPrivateKey`.
 */
export function importOneTimeKey(secret: SecretBytes): KeyObject {
  return takesSecretAlone() ? importBySecretAlone(secret) : importPrivateKey('X25519', secret);
}

/** Node demands a public half in a private JWK and computes its own: any 32 bytes will do. */
const ANY_PUBLIC_HALF = 'A'.repeat(43);

function importBySecretAlone(secret: SecretBytes): KeyObject {
  return secret.lend((bytes) => {
    const key = { kty: 'OKP', crv: 'X25519', x: ANY_PUBLIC_HALF, d: toBase64Url(bytes) };
    // The pure rooms' own declarations of node:crypto know the other form only.
    return createPrivateKey({ key, format: 'jwk' } as unknown as Parameters<typeof createPrivateKey>[0]);
  });
}

/** Alice's key pair of RFC 7748 §6.1. */
const KNOWN = {
  secret: '77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a',
  publicHalf: '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a',
} as const;

let secretAlone: boolean | undefined;

/** Whether this Node does as the text above says. */
function takesSecretAlone(): boolean {
  secretAlone ??= (() => {
    try {
      using secret = SecretBytes.of(defined(fromHex(KNOWN.secret), 'secret'));
      return hex(publicHalf(importBySecretAlone(secret))) === KNOWN.publicHalf;
    } catch {
      return false;
    }
  })();
  return secretAlone;
}

export function publicHalf(key: KeyObject): Uint8Array<ArrayBuffer> {
  return fromBase64Url(defined(createPublicKey(key).export({ format: 'jwk' }).x, 'public key'));
}

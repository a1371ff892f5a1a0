// What is remembered is what OpenSSL says, and nothing that was not true becomes true.

import { createPrivateKey, createPublicKey, diffieHellman, hkdfSync, randomBytes, sign, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { AgreementKey, SecretBytes, SigningKey, verifySignature } from '../../src/crypto/index.js';
import { quicken, unhurried } from './quick-crypto.js';

quicken();

const PREFIXES = { X25519: '302e020100300506032b656e04220420', Ed25519: '302e020100300506032b657004220420' } as const;

function der(curve: keyof typeof PREFIXES, secret: Uint8Array): Parameters<typeof createPrivateKey>[0] {
  return { key: Buffer.concat([Buffer.from(PREFIXES[curve], 'hex'), secret]), format: 'der', type: 'pkcs8' };
}

describe('quickened curves', () => {
  it('are in the place of those of node:crypto', () => {
    expect(createPrivateKey).not.toBe(unhurried.createPrivateKey);
    expect(sign).not.toBe(unhurried.sign);
  });

  it('give the same keys, shared secrets, derivations and signatures, the first time and again', () => {
    for (let k = 0; k < 8; k++) {
      const [a, b] = [randomBytes(32), randomBytes(32)];
      const own = unhurried.createPrivateKey(der('X25519', a));
      const peer = unhurried.createPublicKey(unhurried.createPrivateKey(der('X25519', b)));
      const shared = unhurried.diffieHellman({ privateKey: own, publicKey: peer });
      const signer = unhurried.createPrivateKey(der('Ed25519', a));
      for (let again = 0; again < 2; again++) {
        const [quickA, quickB] = [createPrivateKey(der('X25519', a)), createPrivateKey(der('X25519', b))];
        expect(diffieHellman({ privateKey: quickA, publicKey: createPublicKey(quickB) })).toEqual(shared);
        expect(diffieHellman({ privateKey: quickB, publicKey: createPublicKey(quickA) })).toEqual(shared);
        expect(sign(null, b, createPrivateKey(der('Ed25519', a)))).toEqual(unhurried.sign(null, b, signer));
        expect(Buffer.from(hkdfSync('sha256', a, b, b, 32))).toEqual(
          Buffer.from(unhurried.hkdfSync('sha256', a, b, b, 32)),
        );
      }
    }
  });

  it('hand out copies: a secret that is wiped is not wiped for the next', () => {
    const own = AgreementKey.from(SecretBytes.of(randomBytes(32)));
    const peer = AgreementKey.from(SecretBytes.of(randomBytes(32)));
    const first = own.agree(peer.publicKey)!;
    const bytes = first.reveal();
    first.wipe();
    expect(peer.agree(own.publicKey)!.reveal()).toEqual(bytes);
  });

  it('still refuse what is not signed, under another key, or changed, and keys of low order', () => {
    const key = SigningKey.from(SecretBytes.of(randomBytes(32)));
    const other = SigningKey.from(SecretBytes.of(randomBytes(32)));
    const message = randomBytes(40);
    const signature = key.sign('plan', message);
    const changed = signature.map((byte, k) => (k === 63 ? byte ^ 1 : byte));
    expect(verifySignature(key.publicKey, 'plan', message, signature)).toBe(true);
    expect(verifySignature(other.publicKey, 'plan', message, signature)).toBe(false);
    expect(verifySignature(key.publicKey, 'ack', message, signature)).toBe(false);
    expect(verifySignature(key.publicKey, 'plan', randomBytes(40), signature)).toBe(false);
    expect(verifySignature(key.publicKey, 'plan', message, changed)).toBe(false);
    expect(AgreementKey.from(SecretBytes.of(randomBytes(32))).agree(new Uint8Array(32))).toBeUndefined();
    const raw = createPrivateKey(der('Ed25519', Buffer.alloc(32, 7)));
    expect(verify(null, message, createPublicKey(raw), unhurried.sign(null, message, raw))).toBe(true);
  });
});

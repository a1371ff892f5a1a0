// One rule of verification, two implementations that agree on every input (docs/protocol.md §2.1): no silo and no auditor can be split.

import { ed25519 } from '@noble/curves/ed25519.js';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { concat, labelled, utf8 } from '../../../src/base/index.js';
import {
  isVerifyingKey,
  SecretBytes,
  signatureLabel,
  SIGNED_TYPES,
  SigningKey,
  verifySignature,
  verifySignatureIndependently,
} from '../../../src/crypto/index.js';

const { Point } = ed25519;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const P = 2n ** 255n - 19n;
const seed = Uint8Array.from({ length: 32 }, (_, k) => k);
const key = SigningKey.from(SecretBytes.of(seed));
const payload = utf8('what was said');
const signature = key.sign('ack', payload);

const little = (value: bigint): Uint8Array =>
  Uint8Array.from({ length: 32 }, (_, k) => Number((value >> BigInt(8 * k)) & 255n));
const toNumber = (bytes: Uint8Array): bigint => bytes.reduceRight((sum, byte) => (sum << 8n) + BigInt(byte), 0n);
const both = (publicKey: Uint8Array, given: Uint8Array, type: 'ack' | 'abort' = 'ack', said = payload): boolean => {
  const verdicts = [verifySignature, verifySignatureIndependently].map((verify) =>
    verify(publicKey, type, said, given),
  );
  expect(verdicts[0]).toBe(verdicts[1]);
  return verdicts[0]!;
};

/** A point of order 8, and its multiples: every point of small order. */
const TORSION = Point.fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a');
const SMALL = Array.from({ length: 8 }, (_, k) => (k === 0 ? Point.ZERO : TORSION.multiplyUnsafe(BigInt(k))));

/** Scalar and prefix of our key, as RFC 8032 §5.1.5 expands the seed. */
function expanded(): { scalar: bigint; publicPoint: InstanceType<typeof Point> } {
  const digest = createHash('sha512').update(seed).digest();
  const clamped = Uint8Array.from(digest.subarray(0, 32));
  clamped[0]! &= 248;
  clamped[31] = (clamped[31]! & 127) | 64;
  const scalar = toNumber(clamped) % L;
  return { scalar, publicPoint: Point.BASE.multiply(scalar) };
}

/** S for a given R and public key, as the owner of the scalar would compute it. */
function answer(r: bigint, rBytes: Uint8Array, publicKey: Uint8Array, scalar: bigint): Uint8Array {
  const digest = createHash('sha512')
    .update(rBytes)
    .update(publicKey)
    .update(labelled(signatureLabel('ack'), payload))
    .digest();
  return concat(rBytes, little((r + (toNumber(digest) % L) * scalar) % L));
}

describe('a signature', () => {
  it('verifies in both implementations, and under no other type, key or payload', () => {
    expect(both(key.publicKey, signature)).toBe(true);
    expect(both(key.publicKey, signature, 'abort')).toBe(false);
    expect(both(SigningKey.from(SecretBytes.of(new Uint8Array(32))).publicKey, signature)).toBe(false);
    expect(both(key.publicKey, signature, 'ack', utf8('what was said.'))).toBe(false);
    expect(key.sign('ack', payload)).toEqual(signature);
  });

  it('is refused by both with any bit changed, and with any other length', () => {
    for (let bit = 0; bit < 512; bit++)
      expect(
        both(
          key.publicKey,
          signature.map((byte, k) => (k === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte)),
        ),
      ).toBe(false);
    for (const length of [0, 32, 63]) expect(both(key.publicKey, signature.slice(0, length))).toBe(false);
    expect(both(key.publicKey, concat(signature, Uint8Array.of(0)))).toBe(false);
    for (const length of [0, 31]) expect(both(key.publicKey.slice(0, length), signature)).toBe(false);
  });

  it('is refused by both with S + L in the place of S', () => {
    const s = toNumber(signature.subarray(32));
    for (let times = 1n; s + times * L < 2n ** 256n; times++)
      expect(both(key.publicKey, concat(signature.subarray(0, 32), little(s + times * L)))).toBe(false);
  });

  it('is refused by both when its R carries torsion, though a verifier with the cofactor takes it', () => {
    const { scalar } = expanded();
    const r = 12345n;
    for (const [k, small] of SMALL.entries()) {
      const rBytes = Point.BASE.multiply(r).add(small).toBytes();
      const forged = answer(r, rBytes, key.publicKey, scalar);
      // Only the one without torsion is a signature by our rule; noble alone accepts all of them.
      expect(both(key.publicKey, forged)).toBe(k === 0);
      expect(ed25519.verify(forged, labelled(signatureLabel('ack'), payload), key.publicKey, { zip215: false })).toBe(
        true,
      );
    }
  });

  it('is refused by both when R is of small order or not in canonical form', () => {
    const { scalar } = expanded();
    for (const small of SMALL.slice(1))
      expect(both(key.publicKey, answer(0n, small.toBytes(), key.publicKey, scalar))).toBe(false);
    // y = p + 1 stands for 1, and x = 0 with a sign.
    for (const rBytes of [little(P + 1n), concat(little(1n).subarray(0, 31), Uint8Array.of(0x80))])
      expect(both(key.publicKey, answer(0n, rBytes, key.publicKey, scalar))).toBe(false);
  });
});

describe('a verifying key', () => {
  it('is admitted when it is of prime order in canonical form', () => {
    expect(isVerifyingKey(key.publicKey)).toBe(true);
  });
  it('is not admitted when it is of small order', () => {
    for (const small of SMALL) expect(isVerifyingKey(small.toBytes())).toBe(false);
  });
  it('is not admitted when it is of mixed order', () => {
    const { publicPoint } = expanded();
    for (const small of SMALL.slice(1)) expect(isVerifyingKey(publicPoint.add(small).toBytes())).toBe(false);
  });
  it('is not admitted when it is not in canonical form, not on the curve or not 32 bytes long', () => {
    for (let y = 0n; y < 19n; y++) expect(isVerifyingKey(little(P + y))).toBe(false);
    const signed = little(1n);
    signed[31]! |= 0x80;
    expect(isVerifyingKey(signed)).toBe(false);
    expect(isVerifyingKey(little(2n))).toBe(false);
    for (const length of [0, 31, 33]) expect(isVerifyingKey(new Uint8Array(length).fill(3))).toBe(false);
  });
  it('that is weak gives both implementations nothing to disagree about once admission is refused', () => {
    // A signature R = S = 0 verifies without the cofactor under the neutral key: why admission refuses it.
    const neutral = Point.ZERO.toBytes();
    expect(verifySignature(neutral, 'ack', payload, concat(neutral, new Uint8Array(32)))).toBe(true);
    expect(isVerifyingKey(neutral)).toBe(false);
  });
});

describe('a signed type', () => {
  it('gives other signatures than any other type', () => {
    const signatures = SIGNED_TYPES.map((type) => Buffer.from(key.sign(type, payload)).toString('hex'));
    expect(new Set(signatures).size).toBe(SIGNED_TYPES.length);
  });
});

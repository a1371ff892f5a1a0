// Our own vectors, committed: a change of any byte of the protocol shows here and must be meant. The bad ones must be refused.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fromHex } from '../../src/base/index.js';
import {
  isAgreementKey,
  isVerifyingKey,
  verifySignature,
  verifySignatureIndependently,
  type SignedType,
} from '../../src/crypto/index.js';
import { ownVectors } from '../support/own-vectors.js';

const read = (name: string): unknown => JSON.parse(readFileSync(`${import.meta.dirname}/${name}.json`, 'utf8'));
const bytes = (text: string): Uint8Array => fromHex(text)!;

describe('our own vectors', () => {
  for (const [name, computed] of Object.entries(ownVectors()))
    it(`of ${name} are what is committed`, () => {
      const committed = (read('own') as Record<string, Record<string, string>>)[name]!;
      // Labels and types that came later have no vector yet; those that are here never change.
      for (const [key, value] of Object.entries(committed)) expect(computed[key], key).toBe(value);
      expect(Object.keys(committed).length).toBeGreaterThan(0);
    });
});

interface BadSignature {
  readonly why: string;
  readonly type: SignedType;
  readonly payload: string;
  readonly key: string;
  readonly signature: string;
}

describe('bad vectors', () => {
  for (const { why, type, payload, key, signature } of read('signatures_bad_') as BadSignature[])
    it(`of a signature: ${why}, refused by both implementations`, () => {
      expect(verifySignature(bytes(key), type, bytes(payload), bytes(signature))).toBe(false);
      expect(verifySignatureIndependently(bytes(key), type, bytes(payload), bytes(signature))).toBe(false);
    });
  for (const { why, key } of read('verifying_keys_bad_') as { why: string; key: string }[])
    it(`of a verifying key: ${why}, not admitted`, () => {
      expect(isVerifyingKey(bytes(key))).toBe(false);
    });
  for (const { why, key } of read('agreement_keys_bad_') as { why: string; key: string }[])
    it(`of an agreement key: ${why}, refused`, () => {
      expect(isAgreementKey(bytes(key))).toBe(false);
    });
});

// Labels, framing, secrets and encodings (docs/protocol.md §2.1, §7).

import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { hex, labelled, utf8 } from '../../../src/base/index.js';
import {
  commitSelfSecret,
  commitShare,
  derive,
  equalSecret,
  hash,
  Hasher,
  isSignedType,
  LABELS,
  SecretBytes,
  sha256,
  signatureLabel,
  SIGNED_TYPES,
  SigningKey,
} from '../../../src/crypto/index.js';
import { fromBase64Url, toBase64Url } from '../../../src/crypto/encoding.js';

const ALL = [...Object.values(LABELS), ...SIGNED_TYPES.map(signatureLabel)];

describe('labels', () => {
  it('are all different and all under veilsum/v1/', () => {
    expect(new Set(ALL).size).toBe(ALL.length);
    for (const label of ALL) expect(label.startsWith('veilsum/v1/')).toBe(true);
  });
  it('frame what they are put before, so that no two inputs share one byte string', () => {
    const framed = ALL.map((label) => hex(labelled(label)));
    for (const [i, a] of framed.entries())
      for (const [j, b] of framed.entries()) if (i !== j) expect(b.startsWith(a)).toBe(false);
    expect(hex(labelled('ab', utf8('c')))).not.toBe(hex(labelled('abc')));
  });
  it('of hashes and derivations are none a prefix of another, nor of a signature’s', () => {
    for (const a of Object.values(LABELS))
      for (const b of ALL) if (a !== b) expect(b.startsWith(a), `${a} begins ${b}`).toBe(false);
  });
  it('know their signed types', () => {
    for (const type of SIGNED_TYPES) expect(isSignedType(type)).toBe(true);
    for (const text of ['', 'Ack', 'ack ', 'constructor']) expect(isSignedType(text)).toBe(false);
  });
});

describe('hashes', () => {
  it('are SHA-256 over length, label and the parts in order', () => {
    const parts = [utf8('one'), utf8(''), utf8('two')];
    const expected = sha256(labelled(LABELS.t1, ...parts));
    expect(hash(LABELS.t1, ...parts)).toEqual(expected);
    expect(new Hasher(LABELS.t1).update(utf8('onet')).update(utf8('wo')).digest()).toEqual(expected);
    expect(hash(LABELS.t2, ...parts)).not.toEqual(expected);
    expect(hex(sha256(utf8('abc')))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
  it('leave the room as plain arrays of their own bytes', () => {
    const one = hash(LABELS.t1);
    expect(Object.getPrototypeOf(one)).toBe(Uint8Array.prototype);
    expect(one).toHaveLength(32);
  });
});

describe('commitments', () => {
  it('differ in kind, transcript, dealer, recipient and share', () => {
    const [t1, share] = [sha256(utf8('t1')), sha256(utf8('share'))];
    const all = [
      commitShare('self', t1, 1, 2, share),
      commitShare('key', t1, 1, 2, share),
      commitShare('self', share, 1, 2, share),
      commitShare('self', t1, 2, 1, share),
      commitShare('self', t1, 1, 3, share),
      commitShare('self', t1, 1, 2, t1),
      commitSelfSecret(t1, 1, share),
      commitSelfSecret(t1, 2, share),
    ].map(hex);
    expect(new Set(all).size).toBe(all.length);
  });
});

describe('a secret', () => {
  const bytes = Uint8Array.from({ length: 32 }, (_, k) => k + 100);
  it('refuses to become JSON and prints none of its bytes', () => {
    const secret = SecretBytes.of(bytes);
    expect(() => JSON.stringify({ secret })).toThrow('JSON');
    expect(() => JSON.stringify({ key: SigningKey.from(secret) })).toThrow('JSON');
    for (const text of [
      String(secret),
      `${secret}`,
      inspect(secret, { depth: 9, showHidden: true }),
      JSON.stringify(Object.entries(secret)),
    ]) {
      expect(text).not.toContain('101');
      expect(text).not.toContain('6465');
    }
    expect(inspect(SigningKey.from(secret), { depth: 9, showHidden: true })).not.toContain('101, 102');
  });
  it('is a copy, lends its bytes, and gives them no more once it is wiped', () => {
    const given = bytes.slice();
    const secret = SecretBytes.of(given);
    given.fill(0);
    expect(secret.reveal()).toEqual(bytes);
    let lent: Uint8Array | undefined;
    secret.lend((b) => (lent = b));
    secret.wipe();
    expect(lent).toEqual(new Uint8Array(32));
    expect(() => secret.reveal()).toThrow('wiped');
    expect(() => secret.lend(() => 1)).toThrow('wiped');
  });
  it('is wiped at the end of the block that uses it', () => {
    let kept: SecretBytes | undefined;
    {
      using secret = derive(bytes, bytes, LABELS.pairMask, []);
      kept = secret;
      expect(secret.length).toBe(32);
    }
    expect(() => kept.reveal()).toThrow('wiped');
  });
  it('is compared by its bytes alone', () => {
    expect(equalSecret(bytes, bytes.slice())).toBe(true);
    for (let k = 0; k < 32; k++)
      expect(
        equalSecret(
          bytes,
          bytes.map((byte, i) => (i === k ? byte ^ 128 : byte)),
        ),
      ).toBe(false);
    expect(equalSecret(bytes, bytes.slice(1))).toBe(false);
  });
});

describe('base64url', () => {
  it('is the platform’s, both ways, for every length', () => {
    for (let length = 0; length < 70; length++) {
      const bytes = Uint8Array.from({ length }, (_, k) => (k * 151 + length * 37) & 255);
      expect(toBase64Url(bytes)).toBe(Buffer.from(bytes).toString('base64url'));
      expect(fromBase64Url(toBase64Url(bytes))).toEqual(bytes);
    }
  });
});

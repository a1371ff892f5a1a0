// Published vectors: HKDF (RFC 5869), X25519 (RFC 7748), ChaCha20-Poly1305 (RFC 8439), AES-256-CTR (NIST SP 800-38A), Ed25519 (RFC 8032).

import { createCipheriv, hkdfSync, sign } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { describe, expect, it } from 'vitest';
import { concat, fromHex, hex, labelled } from '../../../src/base/index.js';
import {
  AgreementKey,
  derive,
  derivePublic,
  isAgreementKey,
  Keystream,
  LABELS,
  openOnce,
  sealOnce,
  SecretBytes,
  SigningKey,
} from '../../../src/crypto/index.js';
import { importPrivateKey } from '../../../src/crypto/private-key.js';
import { chachaPoly } from '../../support/chacha-twin.js';

const bytes = (text: string): Uint8Array<ArrayBuffer> => fromHex(text.replace(/\s/g, ''))!;
const secret = (text: string): SecretBytes => SecretBytes.of(bytes(text));

describe('HKDF-SHA256', () => {
  it('gives the vectors A.1 and A.3 of RFC 5869', () => {
    const first = hkdfSync(
      'sha256',
      bytes('0b'.repeat(22)),
      bytes('000102030405060708090a0b0c'),
      bytes('f0f1f2f3f4f5f6f7f8f9'),
      42,
    );
    expect(hex(new Uint8Array(first))).toBe(
      '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    );
    const third = hkdfSync('sha256', bytes('0b'.repeat(22)), new Uint8Array(), new Uint8Array(), 42);
    expect(hex(new Uint8Array(third))).toBe(
      '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
    );
  });

  it('has the length of the label and the label before the info, and nothing else', () => {
    const [ikm, salt, info] = [bytes('0b0c'), bytes('01'), bytes('f0f1')];
    const expected = new Uint8Array(hkdfSync('sha256', ikm, salt, labelled(LABELS.pairMask, info), 42));
    expect(derivePublic(ikm, salt, LABELS.pairMask, [info], 42)).toEqual(expected);
    expect(derive(ikm, salt, LABELS.pairMask, [info], 42).reveal()).toEqual(expected);
    expect(hex(labelled('ab', bytes('63')))).toBe('0002616263');
  });
});

const ALICE = '77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a';
const BOB = '5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb';
/** 0, 1, both points of order 8, p - 1, p and p + 1; each also with the unused top bit set. */
const LOW_ORDER = [
  `00${'00'.repeat(31)}`,
  `01${'00'.repeat(31)}`,
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  `ec${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
].flatMap((text) => {
  const topped = bytes(text);
  topped[31]! |= 0x80;
  return [bytes(text), topped];
});

describe('X25519', () => {
  it('gives both vectors of RFC 7748 §5.2', () => {
    for (const [scalar, u, out] of [
      [
        'a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4',
        'e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c',
        'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552',
      ],
      [
        '4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d',
        'e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493',
        '95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957',
      ],
    ] as const)
      expect(hex(AgreementKey.from(secret(scalar)).agree(bytes(u))!.reveal())).toBe(out);
  });

  it('gives the public keys and the shared secret of RFC 7748 §6.1', () => {
    const [alice, bob] = [AgreementKey.from(secret(ALICE)), AgreementKey.from(secret(BOB))];
    expect(hex(alice.publicKey)).toBe('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a');
    expect(hex(bob.publicKey)).toBe('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f');
    expect([ALICE, BOB].map((one) => AgreementKey.oneTime(secret(one)).publicKey)).toEqual([
      alice.publicKey,
      bob.publicKey,
    ]);
    expect(hex(AgreementKey.oneTime(secret(ALICE)).agree(bob.publicKey)!.reveal())).toBe(
      hex(alice.agree(bob.publicKey)!.reveal()),
    );
    const shared = '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742';
    expect(hex(alice.agree(bob.publicKey)!.reveal())).toBe(shared);
    expect(hex(bob.agree(alice.publicKey)!.reveal())).toBe(shared);
  });

  it('refuses every point of low order in every encoding, and what has not 32 bytes', () => {
    const key = AgreementKey.from(secret(ALICE));
    for (const low of [...LOW_ORDER, ...[0, 31, 33, 64].map((length) => new Uint8Array(length).fill(9))]) {
      expect(key.agree(low)).toBeUndefined();
      expect(isAgreementKey(low)).toBe(false);
    }
    expect(isAgreementKey(key.publicKey)).toBe(true);
  });

  it('knows by table what a scalar multiplication tells, on small, large and any values of u, in either top bit', () => {
    const probe = AgreementKey.from(secret(BOB));
    const numbers = [-2n, -1n, 0n, 1n, 2n, 3n, 4n, 9n, 18n].flatMap((k) => [k, 2n ** 255n - 19n + k, 2n ** 255n + k]);
    const given = numbers.map((value) => bytes(BigInt.asUintN(256, value).toString(16).padStart(64, '0')).reverse());
    for (let k = 0; k < 200; k++) given.push(Uint8Array.from(new Keystream(new Uint8Array(32), 2 * k).next(32)));
    const verdicts = given.map((u) => isAgreementKey(u));
    expect(verdicts).toEqual(given.map((u) => probe.agree(u) !== undefined));
    expect(verdicts.filter((good) => !good).length).toBeGreaterThan(5);
  });
});

describe('ChaCha20-Poly1305', () => {
  const PLAIN = bytes(
    '4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f66202739393a204966204920636f756c64206f6666657220796f75206f6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73637265656e20776f756c642062652069742e',
  );
  const [KEY, AAD] = [
    bytes('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f'),
    bytes('50515253c0c1c2c3c4c5c6c7'),
  ];

  it('has a twin that gives the vector of RFC 8439 §2.8.2', () => {
    const sealed = hex(chachaPoly(KEY, bytes('070000004041424344454647'), AAD, PLAIN));
    expect(sealed.slice(0, 32)).toBe('d31a8d34648e60db7b86afbc53ef7ec2');
    expect(sealed.slice(-32)).toBe('1ae10b594f09e26a7e902ecbd0600691');
  });

  it('seals as that twin does under nonce 0, and opens what it sealed', () => {
    for (const length of [0, 1, 15, 16, 17, 63, 64, 65, 114]) {
      const plain = PLAIN.subarray(0, length);
      const sealed = sealOnce(SecretBytes.of(KEY), AAD, plain);
      expect(sealed).toEqual(chachaPoly(KEY, new Uint8Array(12), AAD, plain));
      expect(openOnce(SecretBytes.of(KEY), AAD, sealed)).toEqual(Uint8Array.from(plain));
    }
  });

  it('does not open what was changed in any bit, under other data, under another key, or cut short', () => {
    const sealed = sealOnce(SecretBytes.of(KEY), AAD, PLAIN.subarray(0, 20));
    const open = (given: Uint8Array, aad = AAD, key = KEY): Uint8Array | undefined =>
      openOnce(SecretBytes.of(key), aad, given);
    for (let bit = 0; bit < sealed.length * 8; bit++)
      expect(open(sealed.map((byte, k) => (k === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte)))).toBeUndefined();
    expect(open(sealed, AAD.subarray(1))).toBeUndefined();
    expect(
      open(
        sealed,
        AAD,
        KEY.map((byte) => byte ^ 1),
      ),
    ).toBeUndefined();
    for (const length of [0, 15, 16, 35]) expect(open(sealed.subarray(0, length))).toBeUndefined();
    expect(open(concat(sealed, Uint8Array.of(0)))).toBeUndefined();
  });
});

describe('AES-256-CTR', () => {
  const KEY = bytes('603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4');
  /** One block of the stream by the definition of the mode: the cipher on the counter. */
  const block = (counter: Uint8Array): Uint8Array => {
    const cipher = createCipheriv('aes-256-ecb', KEY, null).setAutoPadding(false);
    return Uint8Array.from(cipher.update(counter));
  };

  it('has a twin that gives the first two blocks of SP 800-38A F.5.5', () => {
    const [counter, next] = [bytes('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff'), bytes('f0f1f2f3f4f5f6f7f8f9fafbfcfdff00')];
    const xor = (a: Uint8Array, b: Uint8Array): string => hex(a.map((byte, k) => byte ^ b[k]!));
    expect(xor(block(counter), bytes('6bc1bee22e409f96e93d7e117393172a'))).toBe('601ec313775789a5b7a7f504bbf3d228');
    expect(xor(block(next), bytes('ae2d8a571e03ac9c9eb76fac45af8e51'))).toBe('f443e3ca4d62b59aca84e990cacaf5c5');
  });

  it('streams the blocks of counters 0, 1, 2, …, also from any block on and in pieces of any size', () => {
    for (const start of [0, 1, 255, 256, 65_535, 2 ** 32 - 1, 2 ** 32, 2 ** 48 + 5]) {
      const counters = [0, 1, 2].map((k) => bytes((BigInt(start) + BigInt(k)).toString(16).padStart(32, '0')));
      const expected = concat(...counters.map(block));
      expect(Uint8Array.from(new Keystream(KEY, start).next(48))).toEqual(expected);
      const stream = new Keystream(KEY, start);
      expect(concat(...[1, 15, 7, 25].map((length) => Uint8Array.from(stream.next(length))))).toEqual(expected);
    }
  });

  it('gives long pieces that differ from zeros nowhere it should not, and refuses a bad key or block', () => {
    const long = new Keystream(KEY).next(200_000);
    const tail = new Keystream(KEY, 12_000).next(8000);
    expect(hex(long.subarray(192_000))).toBe(hex(tail));
    expect(() => new Keystream(KEY.subarray(1))).toThrow('32 bytes');
    for (const start of [-1, 0.5, 2 ** 53]) expect(() => new Keystream(KEY, start)).toThrow('whole number');
  });
});

describe('Ed25519', () => {
  const CASES = [
    {
      seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
      key: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
      message: '',
      signature:
        'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    },
    {
      seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
      key: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
      message: '72',
      signature:
        '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    },
  ];
  for (const [k, { seed, key, message, signature }] of CASES.entries())
    it(`gives test ${k + 1} of RFC 8032 §7.1 in both implementations`, () => {
      expect(hex(SigningKey.from(secret(seed)).publicKey)).toBe(key);
      const own = sign(null, bytes(message), importPrivateKey('Ed25519', secret(seed)));
      expect(hex(own)).toBe(signature);
      expect(hex(ed25519.sign(bytes(message), bytes(seed)))).toBe(signature);
    });
});

// The same curves, computed once. A consortium in one process does everything n times: what one silo signs the others verify, and of every
// shared secret there are two ends. This remembers what node:crypto returned, below the product, which runs unchanged and unaware; every
// value comes from OpenSSL, and quick-crypto.test.ts compares it with what OpenSSL says without it.

import crypto, { type KeyObject } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';

/** Entries of each memory; a full one is emptied. */
const REMEMBERED_MAX = 60_000;

/** PrivateKeyInfo of RFC 8410: 16 bytes, of which this one tells the curves apart, then the key's 32. */
const CURVE_AT = 11;
const CURVES: Readonly<Record<number, string>> = { 0x6e: 'X25519', 0x70: 'Ed25519' };
const DER_BYTES = 48;
const KEY_BYTES = 32;

interface Signed {
  readonly key: string;
  readonly message: Uint8Array;
}

class Memory<V> {
  readonly #entries = new Map<string, V>();

  get(name: string): V | undefined {
    return this.#entries.get(name);
  }

  set(name: string, value: V): V {
    if (this.#entries.size >= REMEMBERED_MAX) this.#entries.clear();
    this.#entries.set(name, value);
    return value;
  }
}

interface Der {
  readonly key: Uint8Array;
  readonly format: 'der';
  readonly type: 'pkcs8';
}

interface Jwk {
  readonly key: { readonly crv: string; readonly x: string };
  readonly format: 'jwk';
}

const real = {
  createPrivateKey: crypto.createPrivateKey,
  createPublicKey: crypto.createPublicKey,
  diffieHellman: crypto.diffieHellman,
  hkdfSync: crypto.hkdfSync,
  sign: crypto.sign,
  verify: crypto.verify,
};
const privateKeys = new Memory<KeyObject>();
const publicKeys = new Memory<KeyObject>();
const secrets = new Memory<Buffer>();
const derived = new Memory<ArrayBuffer>();
const signatures = new Memory<Buffer>();
const verified = new Memory<Signed>();
/** Public half of a key object, as base64url. */
const names = new WeakMap<KeyObject, string>();
const publicHalves = new WeakMap<KeyObject, KeyObject>();
let installed = false;

const textOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');

/** From now on this process computes each key, shared secret and signature once. */
export function quicken(): void {
  if (installed) return;
  installed = true;
  Object.assign(crypto, { createPrivateKey, createPublicKey, diffieHellman, hkdfSync, sign, verify });
  syncBuiltinESMExports();
}

/** What node:crypto does without this. */
export const unhurried: Readonly<typeof real> = real;

function nameOf(key: KeyObject): string {
  const known = names.get(key);
  if (known !== undefined) return known;
  const half = key.type === 'private' ? real.createPublicKey(key) : key;
  const name = half.export({ format: 'jwk' }).x ?? '';
  names.set(key, name);
  return name;
}

/** PKCS #8 takes OpenSSL eight times as long as the bare scalar, which node:crypto takes inside a JSON Web Key. */
function createPrivateKey(input: Der): KeyObject {
  const { key: der } = input;
  const crv = CURVES[der[CURVE_AT] ?? 0];
  if (der.length !== DER_BYTES || crv === undefined) return real.createPrivateKey(input as never);
  const name = textOf(der);
  const known = privateKeys.get(name);
  if (known !== undefined) return known;
  const d = Buffer.from(der.subarray(DER_BYTES - KEY_BYTES)).toString('base64url');
  return privateKeys.set(name, real.createPrivateKey({ key: { kty: 'OKP', crv, d, x: '' }, format: 'jwk' }));
}

function createPublicKey(input: Jwk | KeyObject): KeyObject {
  if (!('format' in input)) {
    const known = publicHalves.get(input);
    if (known !== undefined) return known;
    const half = real.createPublicKey(input);
    publicHalves.set(input, half);
    return half;
  }
  const name = `${input.key.crv} ${input.key.x}`;
  return publicKeys.get(name) ?? publicKeys.set(name, real.createPublicKey(input));
}

/** Both ends agree on the same, and their public halves name it. A copy, because callers wipe it. */
function diffieHellman(pair: { privateKey: KeyObject; publicKey: KeyObject }): Buffer {
  const own = nameOf(pair.privateKey);
  const peer = nameOf(pair.publicKey);
  const name = own < peer ? own + peer : peer + own;
  return Buffer.from(secrets.get(name) ?? secrets.set(name, Buffer.from(real.diffieHellman(pair))));
}

function hkdfSync(digest: string, ikm: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): ArrayBuffer {
  // Lengths first: no two calls share a name.
  const name = `${ikm.length} ${salt.length} ${length} ${textOf(ikm)}${textOf(salt)}${textOf(info)}`;
  const known = derived.get(name);
  return (known ?? derived.set(name, real.hkdfSync(digest, ikm, salt, info, length))).slice(0);
}

/** Deterministic, so once is enough; and what a key has signed verifies under it. */
function sign(algorithm: null, message: Uint8Array, key: KeyObject): Buffer {
  const signer = nameOf(key);
  const name = signer + textOf(message);
  const known = signatures.get(name);
  if (known !== undefined) return Buffer.from(known);
  const signature = signatures.set(name, real.sign(algorithm, message, key));
  verified.set(textOf(signature), { key: signer, message: Uint8Array.from(message) });
  return Buffer.from(signature);
}

function verify(algorithm: null, message: Uint8Array, key: KeyObject, signature: Uint8Array): boolean {
  const name = textOf(signature);
  const known = verified.get(name);
  const signer = nameOf(key);
  if (known?.key === signer && Buffer.compare(known.message, message) === 0) return true;
  if (!real.verify(algorithm, message, key, signature)) return false;
  verified.set(name, { key: signer, message: Uint8Array.from(message) });
  return true;
}

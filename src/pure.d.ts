// The whole outside world that the pure rooms may see. Compiled only by tsconfig.pure.json, which knows neither Node's
// types nor the DOM: whatever is not declared here cannot be used in a pure room without a compile error.

declare class TextEncoder {
  encode(text?: string): Uint8Array<ArrayBuffer>;
}
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(bytes?: Uint8Array): string;
}

declare module 'node:crypto' {
  export interface KeyObject {
    readonly type: 'secret' | 'public' | 'private';
    export(options: { format: 'jwk' }): { x?: string; d?: string };
  }
  export interface Hash {
    update(data: Uint8Array): this;
    digest(): Uint8Array<ArrayBuffer>;
  }
  export interface Cipher {
    update(data: Uint8Array): Uint8Array<ArrayBuffer>;
    final(): Uint8Array<ArrayBuffer>;
    setAAD(aad: Uint8Array, options?: { plaintextLength: number }): this;
    getAuthTag(): Uint8Array<ArrayBuffer>;
  }
  export interface Decipher {
    update(data: Uint8Array): Uint8Array<ArrayBuffer>;
    final(): Uint8Array<ArrayBuffer>;
    setAAD(aad: Uint8Array, options?: { plaintextLength: number }): this;
    setAuthTag(tag: Uint8Array): this;
  }
  export function createHash(algorithm: 'sha256' | 'sha512'): Hash;
  export function hash(algorithm: 'sha256', data: Uint8Array, outputEncoding: 'buffer'): Buffer;
  export function createCipheriv(
    algorithm: 'aes-256-ctr' | 'chacha20-poly1305',
    key: Uint8Array,
    iv: Uint8Array,
    options?: { authTagLength?: number },
  ): Cipher;
  export function createDecipheriv(
    algorithm: 'chacha20-poly1305',
    key: Uint8Array,
    iv: Uint8Array,
    options?: { authTagLength?: number },
  ): Decipher;
  export function createPrivateKey(input: { key: Uint8Array; format: 'der'; type: 'pkcs8' }): KeyObject;
  export function createPublicKey(
    input: KeyObject | { key: { kty: 'OKP'; crv: 'X25519' | 'Ed25519'; x: string }; format: 'jwk' },
  ): KeyObject;
  export function diffieHellman(options: { privateKey: KeyObject; publicKey: KeyObject }): Uint8Array<ArrayBuffer>;
  export function sign(algorithm: null, data: Uint8Array, key: KeyObject): Uint8Array<ArrayBuffer>;
  export function verify(algorithm: null, data: Uint8Array, key: KeyObject, signature: Uint8Array): boolean;
  export function hkdfSync(
    digest: 'sha256',
    ikm: Uint8Array,
    salt: Uint8Array,
    info: Uint8Array,
    length: number,
  ): ArrayBuffer;
  export function timingSafeEqual(a: Uint8Array, b: Uint8Array): boolean;
}

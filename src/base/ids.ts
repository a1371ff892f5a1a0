// Branded identifiers: a silo id cannot be passed where a job id is wanted. The brand exists only for the compiler.

declare const brand: unique symbol;
export type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** A member's name in the roster, unique in the consortium. */
export type SiloId = Branded<string, 'SiloId'>;
/** A job's name, unique in the consortium for ever. */
export type JobId = Branded<string, 'JobId'>;
/** 32 bytes: SHA-256 under a label. */
export type Hash = Branded<Uint8Array, 'Hash'>;

/** Names that travel in URIs, file names and logs: lower case, digits and inner hyphens, at most 63 characters (RFC 1123 label). */
const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

export function isName(text: string): boolean {
  return NAME.test(text);
}

export function asSiloId(text: string): SiloId | undefined {
  // The check is what the brand stands for.
  return isName(text) ? (text as SiloId) : undefined;
}

export function asJobId(text: string): JobId | undefined {
  // The check is what the brand stands for.
  return isName(text) ? (text as JobId) : undefined;
}

export const HASH_BYTES = 32;

export function asHash(bytes: Uint8Array): Hash | undefined {
  // The check is what the brand stands for.
  return bytes.length === HASH_BYTES ? (bytes as Hash) : undefined;
}

// Sealing at rest. Whoever copies the disk but not the key file learns sizes and order, nothing else; whoever moves a sealed record to
// another place is found out. Putting an old record back in its own place is not noticed here: that is what the log is for (§2.4).

import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { concat, labelled, utf8 } from '../base/index.js';
import { LABELS, SecretBytes } from '../crypto/index.js';
import { readSecretFile, SystemError, writeSecretFile } from '../system/index.js';
import { StorageError } from './errors.js';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** First byte of every sealed record: ChaCha20-Poly1305 (RFC 8439) with a random nonce in front. */
const FORMAT = 1;
export const SEAL_OVERHEAD_BYTES = 1 + NONCE_BYTES + TAG_BYTES;

/**
 * Seals under one key with random 96-bit nonces. NIST SP 800-38D §8.3 allows 2^32 records for such nonces; a store that commits a
 * thousand records a second for a month stays below that, and every store derives a key of its own.
 */
export class Sealer {
  readonly #key: SecretBytes<'storage-seal'>;

  private constructor(key: SecretBytes<'storage-seal'>) {
    this.#key = key;
  }

  /** `root`: 32 bytes. `store` names the store, so that records cannot wander between two stores of one key file. */
  static derive(root: SecretBytes<'storage-root'>, store: string): Sealer {
    const derived = root.lend((bytes) => {
      const info = labelled(LABELS.deriveStorage, utf8(store));
      return new Uint8Array(hkdfSync('sha256', bytes, new Uint8Array(0), info, KEY_BYTES));
    });
    const key = SecretBytes.of<'storage-seal'>(derived);
    derived.fill(0);
    return new Sealer(key);
  }

  /** `place` says where the record lies; it must be unique in the store, and is not stored. */
  seal(place: Uint8Array, plaintext: Uint8Array): Uint8Array<ArrayBuffer> {
    return concat(...this.sealInParts(place, plaintext));
  }

  /** The same in pieces that follow each other, for large records: one copy less. */
  sealInParts(place: Uint8Array, plaintext: Uint8Array): Uint8Array[] {
    const nonce = randomBytes(NONCE_BYTES);
    return this.#key.lend((key) => {
      const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(concat(Uint8Array.of(FORMAT), place), { plaintextLength: plaintext.length });
      const body = cipher.update(plaintext);
      // A stream cipher has given all of it.
      cipher.final();
      return [concat(Uint8Array.of(FORMAT), nonce), body, cipher.getAuthTag()];
    });
  }

  /** Throws storage/damaged when the record was changed, moved, or sealed under another key. */
  open(place: Uint8Array, sealed: Uint8Array): Uint8Array<ArrayBuffer> {
    if (sealed.length < SEAL_OVERHEAD_BYTES) throw new StorageError('storage/damaged', 'a sealed record is too short');
    if (sealed[0] !== FORMAT)
      throw new StorageError(
        'storage/unknown-format',
        `a sealed record has format ${String(sealed[0])}, not ${String(FORMAT)}`,
      );
    const nonce = sealed.subarray(1, 1 + NONCE_BYTES);
    const body = sealed.subarray(1 + NONCE_BYTES, sealed.length - TAG_BYTES);
    return this.#key.lend((key) => {
      const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(concat(Uint8Array.of(FORMAT), place), { plaintextLength: body.length });
      decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
      try {
        const { buffer, byteOffset, byteLength } = decipher.update(body);
        // A stream cipher has given all of it: this only looks at the tag.
        decipher.final();
        return new Uint8Array(buffer, byteOffset, byteLength);
      } catch {
        throw new StorageError('storage/damaged', 'a sealed record does not open in its place');
      }
    });
  }

  toJSON(): never {
    throw new Error('a sealer cannot become JSON');
  }
}

/** Reads the 32-byte key file, or creates it on the first start. A lost key file means a lost store: operators back it up apart. */
export async function openStorageKey(path: string): Promise<SecretBytes<'storage-root'>> {
  try {
    return await readStorageKey(path);
  } catch (cause) {
    if (!(cause instanceof SystemError) || cause.code !== 'system/not-found') throw cause;
  }
  const fresh = new Uint8Array(randomBytes(KEY_BYTES));
  try {
    await writeSecretFile(path, fresh);
  } finally {
    fresh.fill(0);
  }
  return readStorageKey(path);
}

async function readStorageKey(path: string): Promise<SecretBytes<'storage-root'>> {
  const bytes = await readSecretFile(path);
  try {
    if (bytes.length !== KEY_BYTES)
      throw new StorageError(
        'storage/bad-key-file',
        `${path} has ${String(bytes.length)} bytes, not ${String(KEY_BYTES)}`,
      );
    return SecretBytes.of<'storage-root'>(bytes);
  } finally {
    bytes.fill(0);
  }
}

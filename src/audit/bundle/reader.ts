// Reading a bundle from anything that can give bytes at an offset. Each part is compared with its digest before anything of it is used.

import { equalBytes } from '../../base/index.js';
import { sha256Hasher } from '../../crypto/index.js';
import { VerifyError } from '../errors.js';
import { bad, BUNDLE_MAGIC, contentsOffset, partHead, readContents, TAIL_BYTES, type Part } from './contents.js';

export interface Source {
  readonly size: number;
  /** Exactly `length` bytes from `offset`, a fresh array. */
  read(offset: number, length: number): Uint8Array;
}

const PIECE_BYTES = 1 << 20;

export class BundleReader {
  readonly parts: ReadonlyMap<string, Part>;
  readonly #source: Source;

  /** Throws VerifyError `verify/bundle`. Reads every byte once, to compare the digests. */
  constructor(source: Source) {
    this.#source = source;
    const { size } = source;
    if (size < BUNDLE_MAGIC.length + TAIL_BYTES + 4) throw bad('it is too short');
    if (!equalBytes(source.read(0, BUNDLE_MAGIC.length), BUNDLE_MAGIC)) throw bad('it does not begin like one');
    const end = contentsOffset(source.read(size - TAIL_BYTES, TAIL_BYTES), size);
    const parts = readContents(source.read(end, size - TAIL_BYTES - end), end);
    for (const part of parts) this.#demandIntact(part);
    this.parts = new Map(parts.map((part) => [part.name, part]));
  }

  has(name: string): boolean {
    return this.parts.has(name);
  }

  /** The whole part. Throws VerifyError `verify/missing-part`, and `verify/bundle` when it is larger than `most`. */
  get(name: string, most: number): Uint8Array {
    const part = this.#part(name);
    if (part.size > most)
      throw bad(`the part ${name} has ${String(part.size)} bytes, at most ${String(most)} are allowed`);
    return this.#source.read(part.offset, part.size);
  }

  /** Its bytes from `offset`, at most `length` of them. Throws VerifyError `verify/missing-part`. */
  slice(name: string, offset: number, length: number): Uint8Array {
    const part = this.#part(name);
    const most = Math.max(0, Math.min(length, part.size - offset));
    return this.#source.read(part.offset + Math.min(offset, part.size), most);
  }

  sizeOf(name: string): number {
    return this.#part(name).size;
  }

  #part(name: string): Part {
    const part = this.parts.get(name);
    if (part === undefined) throw new VerifyError('verify/missing-part', `the bundle has no part ${name}.`);
    return part;
  }

  #demandIntact({ name, offset, size, sha256: expected }: Part): void {
    const head = partHead(name, size);
    if (!equalBytes(this.#source.read(offset - head.length, head.length), head))
      throw bad(`what stands before the part ${name} is not what the contents say`);
    const digest = sha256Hasher();
    for (let at = 0; at < size; at += PIECE_BYTES)
      digest.update(this.#source.read(offset + at, Math.min(PIECE_BYTES, size - at)));
    if (!equalBytes(digest.digest(), expected)) throw bad(`the part ${name} does not have its digest`);
  }
}

/** A bundle in memory. */
export function memorySource(bytes: Uint8Array): Source {
  return { size: bytes.length, read: (offset, length) => bytes.slice(offset, offset + length) };
}

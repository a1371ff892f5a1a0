// Rows of float32 that are too many for memory, in a file that nobody can find: it loses its name before the first byte is written, and what
// is written is encrypted under a key that is never written. So nothing is left of it when its process ends, however that comes about.
// Plain data and a descriptor, which every thread of the process can read from.

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileError } from './errors.js';

/** Bytes of a block of AES: rows begin at one, so that each can be read by itself. */
const BLOCK = 16;
const KEY_BYTES = 32;
const VALUE_BYTES = 4;

export interface ScratchRows {
  readonly fd: number;
  /** Of AES-256-CTR; drawn for this file alone, so its counter may begin at 0. */
  readonly key: Uint8Array;
  /** Values of a row. */
  readonly width: number;
  readonly rows: number;
  /** Which of the rows on disk these are; all of them, in order, unless given. */
  readonly picked?: Uint32Array;
}

export class ScratchWriter {
  readonly #fd: number;
  readonly #key = new Uint8Array(randomBytes(KEY_BYTES));
  readonly #cipher;
  readonly #width: number;
  readonly #folder: string;
  #rows = 0;

  /** `folder` must be there. Throws SystemError `system/…`, as `append` does. */
  constructor(folder: string, width: number) {
    this.#folder = folder;
    this.#width = width;
    this.#cipher = createCipheriv('aes-256-ctr', this.#key, counterAt(0));
    const path = join(folder, `.records-${randomBytes(8).toString('hex')}`);
    try {
      this.#fd = openSync(path, 'wx+', 0o600);
      unlinkSync(path);
    } catch (cause) {
      throw fileError('making a file for records', folder, cause);
    }
  }

  /** Whole rows, one behind the other. */
  append(values: Float32Array): void {
    const count = values.length / this.#width;
    const stride = strideOf(this.#width);
    const plain = new Uint8Array(count * stride);
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const rowBytes = VALUE_BYTES * this.#width;
    for (let row = 0; row < count; row++) plain.set(bytes.subarray(row * rowBytes, (row + 1) * rowBytes), row * stride);
    const sealed = this.#cipher.update(plain);
    try {
      for (let done = 0; done < sealed.length; ) done += writeSync(this.#fd, sealed, done);
    } catch (cause) {
      throw fileError('writing records', this.#folder, cause);
    }
    this.#rows += count;
  }

  /** The reader closes it with `closeScratch`. */
  finish(): ScratchRows {
    return { fd: this.#fd, key: this.#key, width: this.#width, rows: this.#rows };
  }

  /** Instead of `finish`. */
  discard(): void {
    closeSync(this.#fd);
    this.#key.fill(0);
  }
}

/** Frees the space; nobody may read afterwards, in no thread. */
export function closeScratch({ fd, key }: ScratchRows): void {
  closeSync(fd);
  key.fill(0);
}

/** Reads one row at a time into memory of the caller. */
export class ScratchReader {
  readonly #rows: ScratchRows;
  readonly #sealed: Uint8Array;
  readonly #stride: number;

  constructor(rows: ScratchRows) {
    this.#rows = rows;
    this.#stride = strideOf(rows.width);
    this.#sealed = new Uint8Array(this.#stride);
  }

  /** Writes `width` values of row `row` to target[at], target[at + 1], … Throws SystemError `system/io`. */
  readInto(row: number, target: Float32Array, at: number): void {
    const { fd, key, width, picked } = this.#rows;
    const offset = (picked === undefined ? row : (picked[row] ?? 0)) * this.#stride;
    try {
      if (readSync(fd, this.#sealed, 0, this.#stride, offset) !== this.#stride) throw new Error('the file ends');
    } catch (cause) {
      throw fileError('reading records', 'the file of records', cause);
    }
    const plain = createDecipheriv('aes-256-ctr', key, counterAt(offset / BLOCK)).update(this.#sealed);
    const view = new DataView(plain.buffer, plain.byteOffset, plain.byteLength);
    for (let i = 0; i < width; i++) target[at + i] = view.getFloat32(VALUE_BYTES * i, LITTLE_ENDIAN);
  }
}

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function strideOf(width: number): number {
  return Math.ceil((VALUE_BYTES * width) / BLOCK) * BLOCK;
}

/** The first counter block of AES-CTR at a block of the file, big-endian. */
function counterAt(block: number): Uint8Array {
  const counter = new Uint8Array(BLOCK);
  new DataView(counter.buffer).setBigUint64(8, BigInt(block));
  return counter;
}

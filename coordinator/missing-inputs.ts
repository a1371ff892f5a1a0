// Masked inputs whose fingerprint is missing when a sum is opened: they become blobs that silos may fetch, and stay so over a restart.

import { hex } from '../src/base/index.js';
import type { CoordinatorEffect } from '../src/protocol/index.js';
import { BlobRef, decode, encode } from '../src/wire/index.js';
import { keepBlob, uploadName, type Store } from './store.js';

const PREFIX = 'missing/';
/** Bytes of an upload that are read at once. */
const PIECE_BYTES = 1 << 20;

export class MissingInputs {
  readonly #store: Pick<Store, 'journal' | 'blobs'> & Partial<Pick<Store, 'uploads'>>;
  /** By the hex of the round's id. */
  readonly #refs = new Map<string, BlobRef[]>();

  /** Without uploads to read what was kept. */
  constructor(store: Pick<Store, 'journal' | 'blobs'> & Partial<Pick<Store, 'uploads'>>) {
    this.#store = store;
    this.reload();
  }

  /** Reads what another coordinator has kept. */
  reload(): void {
    for (const key of this.#store.journal.keys(PREFIX)) if (!this.#refs.has(key.slice(PREFIX.length))) this.#load(key);
  }

  of(rid: Uint8Array): BlobRef[] {
    return this.#refs.get(hex(rid)) ?? [];
  }

  async keep(effect: Extract<CoordinatorEffect, { kind: 'open-sum' }>): Promise<void> {
    const { uploads } = this.#store;
    if (effect.missing.length === 0 || uploads === undefined) return;
    const { plan, attempt } = effect.context;
    const refs: BlobRef[] = [];
    for (const index of [...effect.missing].sort((a, b) => a - b)) {
      const upload = await uploads.upload(uploadName(plan.rid, attempt.attempt, index));
      const pieces: Uint8Array[] = [];
      for await (const piece of upload.readChunks(PIECE_BYTES)) pieces.push(piece);
      refs.push(await keepBlob(this.#store.blobs, Buffer.concat(pieces)));
    }
    const key = `${PREFIX}${hex(plan.rid)}`;
    await this.#store.journal.put(key, Buffer.concat(refs.map((ref) => framed(encode(BlobRef, ref)))));
    this.#load(key);
  }

  #load(key: string): void {
    const bytes = this.#store.journal.get(key);
    if (bytes === undefined) return;
    const refs: BlobRef[] = [];
    for (let at = 0; at < bytes.length; ) {
      const length = bytes[at] ?? 0;
      refs.push(decode(BlobRef, 'blob reference', bytes.subarray(at + 1, at + 1 + length)));
      at += 1 + length;
    }
    this.#refs.set(key.slice(PREFIX.length), refs);
  }
}

/** One byte of length in front: a reference is shorter than 256 bytes. */
function framed(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(bytes.length), bytes]);
}

// h_i of uploads while they arrive, so that a signed header is compared at once and nothing is read again. Of an upload that was begun
// before a restart the root is not known, and is computed from its file.

import { GrowingRoot, type Lane } from '../src/compute/index.js';
import { INPUT_BLOCK_BYTES } from '../src/protocol/index.js';
import type { StoredUpload } from '../src/storage/index.js';

interface Growing {
  readonly root: GrowingRoot;
  /** A silo that was cut off may be back before its old stream has ended: one after the other. */
  last: Promise<void>;
}

/** One that was begun anew is another. */
export interface NamedUpload {
  readonly name: string;
  readonly generation: string;
}

export class InputRoots {
  readonly #growing = new Map<string, Growing>();
  readonly #whole = new Map<string, Uint8Array>();

  /** `bytes` were written at `offset` of the upload; they are free again when it resolves. */
  async written(upload: NamedUpload, lane: Lane, offset: number, bytes: Uint8Array): Promise<void> {
    const name = keyOf(upload);
    if (offset === 0 && !this.#growing.has(name))
      this.#growing.set(name, { root: new GrowingRoot(lane), last: Promise.resolve() });
    const growing = this.#growing.get(name);
    if (growing === undefined) return;
    growing.last = growing.last.then(async () => {
      // Sent again after a break, and equal: the spool has compared. A gap is another upload's beginning: that root is of no use.
      const known = growing.root.total - offset;
      if (known < 0) this.#growing.delete(name);
      else if (known < bytes.length) await growing.root.update(bytes.subarray(known));
    });
    await growing.last;
  }

  /** Of an upload that has all its bytes. */
  async of(named: NamedUpload, lane: Lane, upload: StoredUpload): Promise<Uint8Array> {
    const name = keyOf(named);
    const known = this.#whole.get(name);
    if (known !== undefined) return known;
    const growing = this.#growing.get(name);
    await growing?.last;
    let root = growing?.root;
    if (root?.total !== upload.length) {
      root = new GrowingRoot(lane);
      for await (const bytes of upload.readChunks(INPUT_BLOCK_BYTES)) await root.update(bytes);
    }
    const digest = await root.digest();
    this.#growing.delete(name);
    this.#whole.set(name, digest);
    return digest;
  }

  /** Uploads whose names begin so are dropped. */
  forget(prefix: string): void {
    for (const known of [this.#growing, this.#whole])
      for (const name of [...known.keys()]) if (name.startsWith(prefix)) known.delete(name);
  }
}

function keyOf({ name, generation }: NamedUpload): string {
  return `${name} ${generation}`;
}

// What lies on our own disk, damaged: it is refused by a code and never given back as something else.

import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { concat, equalBytes, hex, utf8 } from '../../../src/base/index.js';
import { SecretBytes } from '../../../src/crypto/index.js';
import { BlobStore, SealedStore, Sealer, StorageError } from '../../../src/storage/index.js';
import { mutateBytes } from '../bytes.js';
import { newFolder } from '../folder.js';
import { ACCEPTED, checkWords, never, type Target } from '../target.js';

const PLACE = utf8('place');

async function refused(read: () => unknown): Promise<string> {
  try {
    await read();
    return ACCEPTED;
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    return checkWords(error.code, error.message);
  }
}

export async function storageTarget(): Promise<Target> {
  const folder = newFolder();
  const sealer = Sealer.derive(SecretBytes.of(new Uint8Array(32).fill(7)), 'fuzz');
  const content = utf8('the quantised update of a hospital '.repeat(20));
  const sealed = sealer.seal(PLACE, content);
  const store = await SealedStore.open(join(folder.path, 'sealed'), sealer);
  await store.put('whole', content);
  const [name] = await store.list();
  const file = await fileOf(join(folder.path, 'sealed'), name!);
  const blobs = await BlobStore.open(join(folder.path, 'blobs'));
  const hash = createHash('sha256').update(content).digest('hex');
  await blobs.put(hash, content);
  return {
    name: 'storage',
    generate: (random) => {
      const which = random.below(8);
      const honest = which === 0 ? file.bytes : which === 1 ? content : sealed;
      return concat(Uint8Array.of(which), mutateBytes(random, honest, random.once(2) ? sealed : honest));
    },
    execute: async (input) => {
      const bytes = input.slice(1);
      if (input[0] === 0) {
        writeFileSync(file.path, bytes);
        return refused(async () => {
          const parts: Uint8Array[] = [];
          for await (const part of store.read('whole')) parts.push(part);
          never(!equalBytes(concat(...parts), content), 'a damaged file was read as something else');
        });
      }
      if (input[0] === 1) {
        writeFileSync(join(folder.path, 'blobs', hash), bytes);
        const whole = await blobs.isWhole(hash);
        never(whole !== equalBytes(bytes, content), 'a damaged blob counts as whole, or a whole one as damaged');
        return whole ? ACCEPTED : 'not whole';
      }
      return refused(() => {
        never(!equalBytes(sealer.open(PLACE, bytes), content), `${hex(bytes.subarray(0, 8))} opens as something else`);
      });
    },
    close: folder.remove,
  };
}

async function fileOf(directory: string, name: string): Promise<{ path: string; bytes: Uint8Array }> {
  const { readdirSync, readFileSync } = await import('node:fs');
  const found = readdirSync(directory).find((one) => one.startsWith(name))!;
  return { path: join(directory, found), bytes: new Uint8Array(readFileSync(join(directory, found))) };
}

// A bundle on disk: written under another name until it is whole, read at any offset.

import { closeSync, fstatSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { BundleWriter, type Source } from '../../src/audit/index.js';
import { fileError, SystemError } from '../../src/system/index.js';

/** Calls `fill` and puts what it wrote in place; nothing is left behind when it fails. */
export async function writeBundleFile<T>(path: string, fill: (writer: BundleWriter) => Promise<T>): Promise<T> {
  const partial = `${path}.part`;
  const file = inFile(path, () => openSync(partial, 'wx', 0o600));
  try {
    const writer = new BundleWriter((bytes) => {
      for (let at = 0; at < bytes.length; ) at += inFile(path, () => writeSync(file, bytes, at));
    });
    const filled = await fill(writer);
    writer.finish();
    inFile(path, () => {
      fsyncSync(file);
    });
    closeSync(file);
    renameSync(partial, path);
    return filled;
  } catch (cause) {
    rmSync(partial, { force: true });
    throw cause;
  }
}

/** Runs `use` over the file. */
export function withBundleFile<T>(path: string, use: (source: Source) => T): T {
  const file = inFile(path, () => openSync(path, 'r'));
  try {
    const { size } = fstatSync(file);
    return use({
      size,
      read: (offset, length) => {
        const bytes = new Uint8Array(length);
        for (let at = 0; at < length; ) {
          const came = inFile(path, () => readSync(file, bytes, at, length - at, offset + at));
          if (came === 0) throw new SystemError('system/io', `${path} ended while it was being read`);
          at += came;
        }
        return bytes;
      },
    });
  } finally {
    closeSync(file);
  }
}

function inFile<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw fileError('using', path, cause);
  }
}

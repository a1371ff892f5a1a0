// Files that are read whole because they are small by nature: rosters, certificates.

import { readFile, stat } from 'node:fs/promises';
import { fileError, SystemError } from './errors.js';

/** Throws SystemError `system/…`, `system/too-large` above `maxBytes`. */
export async function readSmallFile(path: string, maxBytes: number): Promise<Uint8Array> {
  try {
    const { size } = await stat(path);
    if (size > maxBytes)
      throw new SystemError(
        'system/too-large',
        `${path} has ${String(size)} bytes, at most ${String(maxBytes)} are read`,
      );
    return new Uint8Array(await readFile(path));
  } catch (cause) {
    throw cause instanceof SystemError ? cause : fileError('reading', path, cause);
  }
}

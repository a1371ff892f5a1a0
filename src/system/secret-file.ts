// Files that hold a key: written with mode 0600, refused on reading when anybody but their owner could have read or changed them.

import { open } from 'node:fs/promises';
import { writeFileDurably } from './durable.js';
import { fileError, SystemError } from './errors.js';

/** Owner may read and write, nobody else anything. */
const SECRET_MODE = 0o600;
const OTHERS = 0o077;
/** Bytes. Key files and certificate bundles are a few KiB: anything larger is the wrong file. */
const SECRET_FILE_BYTES = 256 * 1024;

export interface SecretWriteOptions {
  /** True: put the new secret in the place of an older one. Refused unless stated: an overwritten key cannot be brought back. */
  readonly replace?: boolean;
}

export async function writeSecretFile(
  path: string,
  bytes: Uint8Array,
  { replace = false }: SecretWriteOptions = {},
): Promise<void> {
  await writeFileDurably(path, bytes, { mode: SECRET_MODE, replace, what: 'secret' });
}

/** The file's bytes. Mode is checked on the open file, so that it cannot be exchanged between the check and the reading. */
export async function readSecretFile(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const file = await open(path, 'r');
    try {
      const facts = await file.stat();
      if (!facts.isFile()) throw new SystemError('system/not-found', `${path} is not a file`);
      if ((facts.mode & OTHERS) !== 0)
        throw new SystemError(
          'system/secret-exposed',
          `${path} has mode 0${(facts.mode & 0o777).toString(8)}, not 0600`,
          {
            remedy: `Run chmod 600 ${path}; replace the secret if other accounts had access to it.`,
          },
        );
      if (facts.size > SECRET_FILE_BYTES)
        throw new SystemError(
          'system/too-large',
          `${path} has ${String(facts.size)} bytes; a secret file has at most ${String(SECRET_FILE_BYTES)}`,
        );
      return new Uint8Array(await file.readFile());
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw fileError('reading', path, cause);
  }
}

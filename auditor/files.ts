// Reading files whose size has a bound.

import { open } from 'node:fs/promises';
import { fileError } from '../src/system/index.js';
import { AuditError } from './errors.js';

/** Throws SystemError `system/…`, AuditError `audit/too-large` before anything is read. */
export async function readBounded(path: string, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      if (size > maxBytes)
        throw new AuditError(
          'audit/too-large',
          `${path} has ${String(size)} bytes, at most ${String(maxBytes)} belong there.`,
        );
      return new Uint8Array(await file.readFile());
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof AuditError) throw cause;
    throw fileError('reading', path, cause);
  }
}

/** The bytes of a stream, at most `maxBytes` of them: undefined when there are more. */
export async function gather(pieces: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const piece of pieces) {
    size += piece.length;
    if (size > maxBytes) return undefined;
    // Pieces may be views of a buffer that is used again.
    parts.push(Uint8Array.from(piece));
  }
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

// The bytes of a bundle around its parts (docs/audit.md): written as a stream, read from its end.

import { concat, equalBytes, fromU64be, fromUtf8, HASH_BYTES, u16be, u32be, u64be, utf8 } from '../../base/index.js';
import { VerifyError } from '../errors.js';
import { AUDIT_LIMITS } from '../limits.js';

export const BUNDLE_MAGIC = utf8('veilsum-bundle-1\n');
/** Offset of the contents, and the magic again. */
export const TAIL_BYTES = 8 + BUNDLE_MAGIC.length;
const NAME = /^[a-z0-9/-]+$/;

export interface Part {
  readonly name: string;
  /** Of its bytes in the file. */
  readonly offset: number;
  readonly size: number;
  readonly sha256: Uint8Array;
}

/** What stands before a part's bytes. */
export function partHead(name: string, size: number): Uint8Array<ArrayBuffer> {
  return concat(u16be(name.length), utf8(name), u64be(size));
}

/** What follows the last part, which ends at `offset`. */
export function bundleTail(parts: readonly Part[], offset: number): Uint8Array<ArrayBuffer> {
  const rows = parts.map(({ name, offset: at, size, sha256 }) =>
    concat(u16be(name.length), utf8(name), u64be(at), u64be(size), sha256),
  );
  return concat(u32be(parts.length), ...rows, u64be(offset), BUNDLE_MAGIC);
}

/** Offset of the contents, from the last TAIL_BYTES bytes of a file of this size. */
export function contentsOffset(tail: Uint8Array, fileSize: number): number {
  const offset = fromU64be(tail.subarray(0, 8));
  if (tail.length !== TAIL_BYTES || !equalBytes(tail.subarray(8), BUNDLE_MAGIC) || offset === undefined)
    throw bad('its end is not that of a bundle');
  const length = fileSize - TAIL_BYTES - offset;
  if (offset < BUNDLE_MAGIC.length || length < 4) throw bad('its contents are not where its end says');
  if (length > AUDIT_LIMITS.contentsBytes) throw bad(`its contents have ${String(length)} bytes`);
  return offset;
}

/** The parts, which must lie one behind the other from the magic to `end`, where the contents begin. */
export function readContents(bytes: Uint8Array, end: number): Part[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = view.getUint32(0);
  if (count > AUDIT_LIMITS.parts) throw bad(`it has ${String(count)} parts`);
  const parts: Part[] = [];
  const names = new Set<string>();
  let at = 4;
  let next = BUNDLE_MAGIC.length;
  for (let k = 0; k < count; k++) {
    const length = at + 2 <= bytes.length ? view.getUint16(at) : 0;
    const fields = at + 2 + length;
    if (length === 0 || length > AUDIT_LIMITS.nameLength || fields + 16 + HASH_BYTES > bytes.length)
      throw bad('its contents end in the middle of a row');
    const name = nameIn(bytes.subarray(at + 2, fields));
    const offset = fromU64be(bytes.subarray(fields, fields + 8));
    const size = fromU64be(bytes.subarray(fields + 8, fields + 16));
    const sha256 = bytes.slice(fields + 16, fields + 16 + HASH_BYTES);
    if (names.has(name)) throw bad(`the part ${name} occurs twice`);
    if (offset === undefined || size === undefined || offset !== next + 2 + length + 8)
      throw bad(`the part ${name} does not lie behind the one before`);
    names.add(name);
    parts.push({ name, offset, size, sha256 });
    next = offset + size;
    at = fields + 16 + HASH_BYTES;
  }
  if (at !== bytes.length || next !== end) throw bad('its parts and contents do not fill it');
  return parts;
}

function nameIn(bytes: Uint8Array): string {
  try {
    const name = fromUtf8(bytes);
    if (NAME.test(name)) return name;
  } catch {
    // No text: refused like any other bad name.
  }
  throw bad('a part has a name that is none');
}

export function bad(why: string): VerifyError {
  return new VerifyError('verify/bundle', `the file is not a bundle: ${why}.`);
}

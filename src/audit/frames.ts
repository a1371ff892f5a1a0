// Objects one behind the other, each with its length in four bytes before it.

import { concat, u32be } from '../base/index.js';
import { VerifyError } from './errors.js';

/** `u32be(length) || bytes`. */
export function frameOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return concat(u32be(bytes.length), bytes);
}

/** What `frameOf` framed. Throws VerifyError `verify/bundle`. */
export function* framed(bytes: Uint8Array): Generator<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; ) {
    const length = at + 4 <= bytes.length ? view.getUint32(at) : Infinity;
    if (at + 4 + length > bytes.length)
      throw new VerifyError('verify/bundle', 'a list of objects ends in the middle of one.');
    yield bytes.subarray(at + 4, at + 4 + length);
    at += 4 + length;
  }
}

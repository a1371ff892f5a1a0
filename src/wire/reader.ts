// The reader behind `decode`: what the generated code asks for, with an end to what a message may make us hold. An empty element of a
// repeated field is two bytes on the wire and some hundred in memory, so bytes alone are no bound.

import { BinaryReader } from '@bufbuild/protobuf/wire';
import { fromUtf8, LIMITS } from '../base/index.js';

/** More fields than a message may have; told apart from bytes that do not parse. */
export class TooManyFields extends Error {}

export class StrictReader extends BinaryReader {
  constructor(bytes: Uint8Array, fieldsMax: number = LIMITS.messageNumbers) {
    super(bytes, fromUtf8);
    const read = this.uint32;
    let numbers = 0;
    // Every tag and every length passes here.
    this.uint32 = () => {
      if (++numbers > fieldsMax) throw new TooManyFields(`more than ${String(fieldsMax)} tags, lengths and numbers`);
      return read.call(this);
    };
  }

  /** A copy: a hash kept for a whole round must not keep alive the message it came in. */
  override bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(super.bytes());
  }
}

// Bytes to messages and back. Parsing happens once, here, after the bytes were hashed and their signature was verified.

import { LIMITS } from '../base/index.js';
import { WireError } from './errors.js';
import { StrictReader, TooManyFields } from './reader.js';

/** What ts-proto generates for a message. */
export interface MessageType<T> {
  encode(message: T): { finish(): Uint8Array<ArrayBuffer> };
  decode(input: Uint8Array | StrictReader): T;
}

export function encode<T>(type: MessageType<T>, message: T): Uint8Array<ArrayBuffer> {
  return type.encode(message).finish();
}

/**
 * Throws WireError `wire/too-large` on more bytes or fields than allowed, and `wire/malformed` on bytes that are not this message:
 * text that is not UTF-8 and bytes behind a tag that ends the message early are none of it. Fields of later versions are ignored:
 * version fields decide compatibility. Byte fields of the result are copies, never views of `bytes`.
 */
export function decode<T>(
  type: MessageType<T>,
  what: string,
  bytes: Uint8Array,
  maxBytes: number = LIMITS.envelopePayloadBytes,
): T {
  if (bytes.length > maxBytes)
    throw new WireError(
      'wire/too-large',
      `a ${what} may have ${String(maxBytes)} bytes, this one has ${String(bytes.length)}.`,
    );
  try {
    const reader = new StrictReader(bytes);
    const message = type.decode(reader);
    if (reader.pos !== bytes.length) throw new RangeError('the message ends before its bytes do');
    return message;
  } catch (cause) {
    if (cause instanceof TooManyFields)
      throw new WireError('wire/too-large', `a ${what} has more than ${String(LIMITS.messageNumbers)} fields.`);
    throw new WireError('wire/malformed', `${String(bytes.length)} bytes do not parse as a ${what}.`, { cause });
  }
}

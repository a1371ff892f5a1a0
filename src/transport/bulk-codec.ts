// The messages that carry bulk bytes, by hand: the same bytes on the wire as the generated codec, without its copies. Decoded data
// is a view of the received message; encoded data is copied once, into the buffer that goes to the socket.

import { decode, UploadTarget, WireError } from '../wire/index.js';
import { TransportError } from './errors.js';

/** PutBlobRequest, BlobChunk, ExportModelResponse and ExportSumResponse are all `bytes data = 1`. */
export function encodeData(data: Uint8Array): Buffer {
  return bytesField(1, data);
}

/** The last `data` field counts, as in any protobuf reader; unknown fields are skipped. */
export function decodeData(message: Uint8Array): Uint8Array {
  let data: Uint8Array = new Uint8Array(0);
  for (const { number, value } of lengthDelimited(message)) if (number === 1) data = value;
  return data;
}

export interface Chunk {
  readonly target: UploadTarget | undefined;
  readonly data: Uint8Array;
}

export function encodeUploadChunk({ target, data }: Chunk): Buffer {
  const body = bytesField(2, data);
  if (target === undefined) return body;
  const inner = UploadTarget.encode(target).finish();
  // An empty embedded message is present all the same: tag and length 0.
  return Buffer.concat([Buffer.from([tagOf(1), ...varint(inner.length)]), inner, body]);
}

export function decodeUploadChunk(message: Uint8Array): Chunk {
  let target: UploadTarget | undefined;
  let data: Uint8Array = new Uint8Array(0);
  for (const { number, value } of lengthDelimited(message)) {
    if (number === 1) target = decodedTarget(value);
    if (number === 2) data = value;
  }
  return { target, data };
}

/** Small, and kept for as long as the upload: a copy, unlike the data beside it. */
function decodedTarget(bytes: Uint8Array): UploadTarget {
  try {
    return decode(UploadTarget, 'target of an upload', bytes);
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new TransportError('transport/malformed', 'an upload’s target does not parse.', { cause });
  }
}

/** Proto3 leaves an empty field out. */
function bytesField(number: number, data: Uint8Array): Buffer {
  if (data.length === 0) return Buffer.alloc(0);
  const header = [tagOf(number), ...varint(data.length)];
  const out = Buffer.allocUnsafe(header.length + data.length);
  out.set(header);
  out.set(data, header.length);
  return out;
}

const LENGTH_DELIMITED = 2;

/** Field numbers here are below 16, so a tag is one byte. */
function tagOf(number: number): number {
  return (number << 3) | LENGTH_DELIMITED;
}

function varint(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    out.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  out.push(rest);
  return out;
}

interface Field {
  readonly number: number;
  readonly value: Uint8Array;
}

/** The length-delimited fields of a message as views; fields of other wire types are skipped. */
function* lengthDelimited(message: Uint8Array): Generator<Field> {
  let at = 0;
  const next = (): number => {
    let value = 0;
    // Ten bytes are the longest varint; all that we use of one are 32 bits.
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = message[at++];
      if (byte === undefined) throw malformed('ends inside a number');
      if (shift < 49) value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw malformed('has a number of more than ten bytes');
  };
  while (at < message.length) {
    const tag = next();
    const number = Math.floor(tag / 8);
    if (number === 0) throw malformed('has a field without a number');
    switch (tag % 8) {
      case 0:
        next();
        break;
      case 1:
        at += 8;
        break;
      case LENGTH_DELIMITED: {
        const length = next();
        if (length > message.length - at) throw malformed('is shorter than a field in it');
        yield { number, value: message.subarray(at, at + length) };
        at += length;
        break;
      }
      case 5:
        at += 4;
        break;
      default:
        throw malformed('has a field of an unknown wire type');
    }
    if (at > message.length) throw malformed('is shorter than a field in it');
  }
}

function malformed(how: string): TransportError {
  return new TransportError('transport/malformed', `a chunk of bytes ${how}.`);
}

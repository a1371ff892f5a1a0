// Frames of uploads and downloads. They have a reader of their own; where the generated one reads a frame, the two must agree.

import { concat, equalBytes } from '../../../src/base/index.js';
import { decodeData, decodeUploadChunk, encodeData, encodeUploadChunk } from '../../../src/transport/bulk-codec.js';
import { BlobChunk, decode, UploadChunk, WireError } from '../../../src/wire/index.js';
import { mutateBytes } from '../bytes.js';
import { ACCEPTED, attempted, never, type Target } from '../target.js';

const BYTES_MAX = 1 << 22;

export function bulkTarget(): Target {
  const data = Uint8Array.from({ length: 300 }, (_, k) => k & 0xff);
  const target = { rid: new Uint8Array(32).fill(9), attempt: 2, offset: 2n ** 40n };
  const frames = [
    encodeData(data),
    encodeData(data.subarray(0, 5)),
    encodeUploadChunk({ target, data }),
    encodeUploadChunk({ target: undefined, data }),
    encodeUploadChunk({ target, data: new Uint8Array() }),
  ].map((frame) => new Uint8Array(frame));
  return {
    name: 'bulk',
    generate: (random) =>
      concat(Uint8Array.of(random.below(2)), mutateBytes(random, random.pick(frames), random.pick(frames))),
    execute: (input) => {
      const bytes = input.slice(1);
      const upload = input[0] === 1;
      let read: ReturnType<typeof decodeUploadChunk> | undefined;
      const end = attempted(() => {
        read = upload ? decodeUploadChunk(bytes) : { target: undefined, data: decodeData(bytes) };
      });
      if (read === undefined) return end;
      const other = generated(upload, bytes);
      if (other === undefined) return 'only here';
      never(!equalBytes(read.data, other.data), 'two readers find other data in one frame');
      never((read.target === undefined) !== (other.target === undefined), 'two readers disagree about the target');
      if (read.target !== undefined && other.target !== undefined)
        never(
          read.target.offset !== other.target.offset || read.target.attempt !== other.target.attempt,
          'two readers find other targets in one frame',
        );
      return ACCEPTED;
    },
  };
}

function generated(upload: boolean, bytes: Uint8Array): ReturnType<typeof decodeUploadChunk> | undefined {
  try {
    if (upload) return decode(UploadChunk, 'chunk', bytes, BYTES_MAX);
    return { target: undefined, data: decode(BlobChunk, 'chunk', bytes, BYTES_MAX).data };
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

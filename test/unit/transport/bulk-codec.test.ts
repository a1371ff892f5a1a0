// The hand-written codec against the generated one: the same bytes out, the same values in, and no other bytes let through.

import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decodeData, decodeUploadChunk, encodeData, encodeUploadChunk } from '../../../src/transport/bulk-codec.js';
import {
  BlobChunk,
  ExportModelResponse,
  ExportSumResponse,
  PutBlobRequest,
  UploadChunk,
} from '../../../src/wire/index.js';

const SIZES = [0, 1, 127, 128, 16_383, 16_384, 1024 * 1024];
const TARGETS = [
  undefined,
  { rid: new Uint8Array(0), attempt: 0, offset: 0n },
  { rid: randomBytes(32), attempt: 3, offset: 400_000_000n },
  { rid: randomBytes(200), attempt: 2 ** 32 - 1, offset: 2n ** 64n - 1n },
];

describe('the bulk codec', () => {
  it('writes the bytes that the generated codec writes', () => {
    for (const size of SIZES) {
      const data = randomBytes(size);
      for (const type of [BlobChunk, PutBlobRequest, ExportModelResponse, ExportSumResponse])
        expect(encodeData(data).equals(type.encode({ data }).finish()), `${size}`).toBe(true);
      for (const target of TARGETS)
        expect(
          encodeUploadChunk({ target, data }).equals(UploadChunk.encode({ target, data }).finish()),
          `${size}`,
        ).toBe(true);
    }
  });

  it('reads the bytes that the generated codec writes', () => {
    for (const size of SIZES) {
      const data = randomBytes(size);
      expect(Buffer.from(decodeData(BlobChunk.encode({ data }).finish())).equals(data)).toBe(true);
      for (const target of TARGETS) {
        const chunk = decodeUploadChunk(UploadChunk.encode({ target, data }).finish());
        expect(Buffer.from(chunk.data).equals(data)).toBe(true);
        expect(chunk.target === undefined ? undefined : { ...chunk.target, rid: [...chunk.target.rid] }).toEqual(
          target === undefined ? undefined : { ...target, rid: [...target.rid] },
        );
      }
    }
  });

  it('skips fields of later versions and takes the last of a repeated one, as the generated codec does', () => {
    // Field 9 in every wire type that is still in use, then data twice.
    const bytes = Uint8Array.from([
      72, 0xff, 1, 73, 1, 2, 3, 4, 5, 6, 7, 8, 74, 2, 9, 9, 77, 1, 2, 3, 4, 10, 1, 5, 10, 2, 6, 7,
    ]);
    expect([...BlobChunk.decode(bytes).data]).toEqual([6, 7]);
    expect([...decodeData(bytes)]).toEqual([6, 7]);
  });

  it('refuses bytes that end too early or have no such form', () => {
    const whole = encodeUploadChunk({ target: TARGETS[2], data: randomBytes(300) });
    const cuts = [1, 2, 5, 30, 45, 50, 200];
    for (const at of cuts)
      expect(() => decodeUploadChunk(whole.subarray(0, at)), `cut at ${at}`).toThrow(
        expect.objectContaining({ code: 'transport/malformed', category: 'content' }),
      );
    for (const bytes of [
      [0, 0],
      [2, 0],
      [11],
      [14, 0],
      [10, 255, 255, 255, 255, 15],
      Array<number>(11).fill(0x80),
      [9, 1, 2],
    ])
      expect(() => decodeData(Uint8Array.from(bytes)), String(bytes)).toThrow(
        expect.objectContaining({ code: 'transport/malformed' }),
      );
  });
});

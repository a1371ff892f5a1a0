// Requests and frames that cost more than their bytes (docs/fuzzing.md).

import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/base/index.js';
import { decodeUploadChunk, encodeUploadChunk } from '../../../src/transport/bulk-codec.js';
import { decodeMessage } from '../../../src/transport/methods.js';
import { encode, SubmitRequest } from '../../../src/wire/index.js';
import { repeated } from '../../fuzz/bytes.js';

describe('a request', () => {
  it('of two million empty fields is refused as too large before they are made', () => {
    const bytes = repeated(Uint8Array.of(0x12, 0), LIMITS.messageBytes / 2);
    expect(() => decodeMessage(SubmitRequest, bytes, '/Submit')).toThrow(
      expect.objectContaining({ code: 'transport/too-large', category: 'limit' }),
    );
  });

  it('does not keep the buffer alive that it was read from', () => {
    const envelope = { payload: new Uint8Array(40), signer: 'silo/a', signature: new Uint8Array(64), type: 'ack' };
    const bytes = Buffer.concat([
      encode(SubmitRequest, { envelope, ciphertexts: [] }),
      // An unknown field of a megabyte, which is skipped.
      Uint8Array.of(0x7a, 0x80, 0x80, 0x40),
      new Uint8Array(1 << 20),
    ]);
    const request = decodeMessage(SubmitRequest, bytes, '/Submit');
    expect(request.envelope?.payload.buffer.byteLength).toBe(40);
    expect(request.envelope?.signature.buffer.byteLength).toBe(64);
  });
});

describe('an upload’s first chunk', () => {
  it('gives a target that does not keep the chunk alive', () => {
    const rid = new Uint8Array(32).fill(3);
    const frame = encodeUploadChunk({ target: { rid, attempt: 1, offset: 0n }, data: new Uint8Array(1 << 20) });
    const { target, data } = decodeUploadChunk(frame);
    expect(target?.rid).toEqual(rid);
    expect(target?.rid.buffer.byteLength).toBe(32);
    expect(data.buffer).toBe(frame.buffer);
  });
});

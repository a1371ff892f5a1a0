// Malformed messages against the wire's decoder: a few thousand here, a million by command (docs/fuzzing.md).

import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/base/index.js';
import { BlobRef, decode, encode, Envelope, SubmitRequest, type MessageType } from '../../../src/wire/index.js';
import { repeated } from '../../fuzz/bytes.js';
import { record } from '../../fuzz/record.js';
import { runTarget } from '../../fuzz/run.js';
import { wireTarget } from '../../fuzz/targets/wire.js';

const recording = record();
const SEED = 20_251;

/** What the decoder was before it had a reader of its own, with one bug more to be found. */
function careless<T>(type: MessageType<T>, what: string, bytes: Uint8Array, maxBytes?: number): T {
  if (bytes.length > 300 && bytes[40] === 0x7f) throw new TypeError('planted');
  return decode(type, what, bytes, maxBytes);
}

describe('the wire decoder', () => {
  it('answers thousands of malformed messages with a message or a WireError', async () => {
    const report = await runTarget(wireTarget(decode, recording), { seed: SEED, inputs: 6000 });
    expect(report.failure).toBeUndefined();
    expect(report.ends.get('wire/malformed')).toBeGreaterThan(1000);
    expect(report.ends.get('accepted')).toBeGreaterThan(500);
  });

  it('is found out when it throws anything else, and the input that shows it is made small', async () => {
    const { failure } = await runTarget(wireTarget(careless, recording), { seed: SEED, inputs: 6000 });
    expect(failure?.error).toBeInstanceOf(TypeError);
    expect(failure!.minimised.length).toBeLessThanOrEqual(302);
    const again = await runTarget(wireTarget(careless, recording), { seed: SEED, inputs: 6000 });
    expect(again.failure?.index).toBe(failure?.index);
    expect(again.failure?.minimised).toEqual(failure?.minimised);
  });

  it('is found out when it keeps the bytes it was given', async () => {
    const views = <T>(type: MessageType<T>, what: string, bytes: Uint8Array): T => {
      decode(type, what, bytes);
      return type.decode(bytes);
    };
    const { failure } = await runTarget(wireTarget(views, recording), { seed: SEED, inputs: 2000 });
    expect(String(failure?.error)).toContain('keeps the bytes it was read from');
  });
});

describe('decode', () => {
  it('refuses a message of two million empty elements before they are made', () => {
    // Four megabytes on the wire, a gigabyte as empty arrays and envelopes.
    const bytes = repeated(Uint8Array.of(0x12, 0), LIMITS.messageBytes / 2);
    expect(() => decode(SubmitRequest, 'submit', bytes, LIMITS.messageBytes)).toThrow(
      expect.objectContaining({ code: 'wire/too-large', category: 'limit' }),
    );
  });

  it('copies byte fields, so that a hash does not keep alive the message it came in', () => {
    const bytes = encode(BlobRef, { sha256: new Uint8Array(32).fill(7), size: 9n });
    const { sha256 } = decode(BlobRef, 'reference', Buffer.from(bytes));
    expect(sha256.buffer.byteLength).toBe(32);
    expect(Buffer.isBuffer(sha256)).toBe(false);
    bytes.fill(0);
    expect(sha256).toEqual(new Uint8Array(32).fill(7));
  });

  it('refuses bytes behind a tag that ends the message early', () => {
    const bytes = encode(BlobRef, { sha256: new Uint8Array(32), size: 9n });
    for (const end of [0x00, 0x0c, 0x04])
      expect(() => decode(BlobRef, 'reference', Uint8Array.of(...bytes, end, 1, 2, 3)), `${end}`).toThrow(
        expect.objectContaining({ code: 'wire/malformed' }),
      );
  });

  it('refuses text that is not UTF-8 instead of replacing it', () => {
    const bytes = Uint8Array.of(0x12, 3, 0x61, 0xff, 0xfe);
    expect(() => decode(Envelope, 'envelope', bytes)).toThrow(expect.objectContaining({ code: 'wire/malformed' }));
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import { freeKeystreamsBy, Keystream } from '../../../src/crypto/index.js';
import { bufferFreeing } from '../../../src/system/index.js';

afterEach(() => {
  freeKeystreamsBy(undefined);
});

describe('freeing buffers', () => {
  it('detaches a buffer, on every supported version of Node', () => {
    const free = bufferFreeing();
    const buffer = new ArrayBuffer(100);
    free?.(buffer);
    expect(free).toBeDefined();
    expect(buffer.byteLength).toBe(0);
  });

  it('leaves a keystream what it is', () => {
    const key = new Uint8Array(32).fill(3);
    const filled = (): Uint8Array => {
      const stream = new Keystream(key, 5);
      const into = new Uint8Array(100_002);
      stream.fill(into.subarray(1, 70_001));
      stream.fill(into.subarray(70_001, 100_001));
      return into;
    };
    const before = filled();
    freeKeystreamsBy(bufferFreeing());
    expect(filled()).toEqual(before);
    expect(before.subarray(1, 100_001)).toEqual(Uint8Array.from(new Keystream(key, 5).next(100_000)));
    expect([before[0], before[100_001]]).toEqual([0, 0]);
  });
});

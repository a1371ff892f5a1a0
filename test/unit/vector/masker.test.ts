// The SIMD kernel against its slow twin, the plain loops of modular.ts.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addInto,
  maskPiece,
  PIECE_WORDS,
  subtractInto,
  wipeKernel,
  type FillBytes,
} from '../../../src/vector/index.js';
import { roundingWords } from '../../support/sum-of-silos.js';

function streamOf(seed: number): FillBytes {
  const words = roundingWords(seed);
  return (into) => {
    into.set(new Uint8Array(words(into.length / 4).buffer));
  };
}

function twin(piece: Int32Array, add: readonly number[], subtract: readonly number[]): Int32Array {
  const out = piece.slice();
  for (const seed of add) addInto(out, new Int32Array(roundingWords(seed)(out.length).buffer));
  for (const seed of subtract) subtractInto(out, new Int32Array(roundingWords(seed)(out.length).buffer));
  return out;
}

describe('masking a piece', () => {
  it('gives what the plain loops give, for every length and every number of streams', () => {
    const seeds = fc.array(fc.integer({ min: 1, max: 1 << 30 }), { maxLength: 10 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), fc.integer(), seeds, seeds, (length, start, add, subtract) => {
        const piece = new Int32Array(roundingWords(start)(length).buffer);
        const expected = twin(piece, add, subtract);
        maskPiece(piece, add.map(streamOf), subtract.map(streamOf));
        expect(piece).toEqual(expected);
      }),
      { numRuns: 300, seed: 20_26 },
    );
  });

  it('gives the same on a whole piece that lies inside a larger vector, and touches nothing beside it', () => {
    const vector = new Int32Array(roundingWords(5)(PIECE_WORDS + 2).buffer);
    const piece = vector.subarray(1, PIECE_WORDS + 1);
    const expected = twin(piece, [1, 2, 3, 4, 5], [6, 7, 8, 9, 10]);
    const [before, after] = [vector[0], vector[PIECE_WORDS + 1]];
    maskPiece(piece, [1, 2, 3, 4, 5].map(streamOf), [6, 7, 8, 9, 10].map(streamOf));
    expect(piece).toEqual(expected);
    expect([vector[0], vector[PIECE_WORDS + 1]]).toEqual([before, after]);
  });

  it('starts from nothing that an earlier piece left behind', () => {
    maskPiece(new Int32Array(1000).fill(-1), [1].map(streamOf), []);
    const piece = new Int32Array(10);
    maskPiece(piece, [], []);
    expect(piece).toEqual(new Int32Array(10));
    wipeKernel();
    maskPiece(piece, [2].map(streamOf), [2].map(streamOf));
    expect(piece).toEqual(new Int32Array(10));
  });

  it('refuses a piece that is larger than the memory of the kernel', () => {
    expect(() => {
      maskPiece(new Int32Array(PIECE_WORDS + 1), [], []);
    }).toThrow('a piece fits');
  });
});

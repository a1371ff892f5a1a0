// Reals to integers and back, and layouts that are refused (docs/protocol.md §2.5).

import { describe, expect, it } from 'vitest';
import { isCodedError, utf8 } from '../../../src/base/index.js';
import { Keystream, sha256 } from '../../../src/crypto/index.js';
import {
  dequantise,
  l2Norm,
  largestContribution,
  layoutOf,
  quantise,
  refuseOverflow,
  type Layout,
  type SegmentSpec,
} from '../../../src/vector/index.js';
import { roundedNormBound } from '../../../src/privacy/index.js';
import { words } from '../../support/vector-twins.js';

const real = (change: object = {}): SegmentSpec['quantiser'] => ({
  kind: 'real',
  clipKind: 'each',
  clip: 1,
  scale: 1000,
  qMax: 1000,
  ...change,
});
const spec = (change: Partial<SegmentSpec> = {}): SegmentSpec => ({
  name: 'delta',
  length: 4,
  quantiser: real(),
  visibility: 'public',
  coarseStep: 0,
  ...change,
});
const one = (change: Partial<SegmentSpec> = {}): Layout => layoutOf([spec(change)]);
const fixed =
  (word: number) =>
  (count: number): Uint32Array =>
    new Uint32Array(count).fill(word);
const of = (layout: Layout, values: number[], random = fixed(0)): ReturnType<typeof quantise> =>
  quantise(layout, [{ name: layout.segments[0]!.name, values: Float64Array.from(values) }], random);

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (isCodedError(error)) return error.code;
    throw error;
  }
  return 'accepted';
}

function streamed(name: string): (count: number) => Uint32Array {
  const stream = new Keystream(sha256(utf8(name)));
  return (count) => new Uint32Array(stream.next(4 * count).slice().buffer);
}

describe('a segment that is rounded until it is short', () => {
  const length = 256;
  const values = Array.from({ length }, (_, i) => Math.sin(i) * 0.9);
  const norm = l2Norm(values);
  const at = (roundedNorm: number, clip = norm): Layout =>
    one({ length, visibility: 'noised', roundedNorm, quantiser: real({ clipKind: 'l2', clip, scale: 1, qMax: 3 }) });

  it('is drawn again where it is longer, as every other one is than the length that is usual', () => {
    const usual = 12.2;
    const random = streamed('again');
    let longer = 0;
    for (let k = 0; k < 100; k++) {
      if (l2Norm(of(at(Infinity), values, random).values) > usual) longer++;
      expect(l2Norm(of(at(usual), values, random).values)).toBeLessThanOrEqual(usual);
    }
    expect(longer).toBeGreaterThan(10);
  });

  it('is unbiased', () => {
    const bound = roundedNormBound(norm, length);
    const sum = new Float64Array(length);
    const random = streamed('conditional');
    for (let k = 0; k < 2000; k++) {
      const rounded = of(at(bound), values, random).values;
      expect(l2Norm(rounded)).toBeLessThanOrEqual(bound);
      rounded.forEach((value, i) => (sum[i] = sum[i]! + value / 2000));
    }
    expect(Math.max(...sum.map((value, i) => Math.abs(value - values[i]!)))).toBeLessThan(0.07);
  });

  it('is refused where no rounding can be within the bound', () => {
    expect(codeOf(() => of(at(norm / 2), values, streamed('never')))).toBe('vector/out-of-range');
  });

  it('has to be clipped as a whole', () => {
    const each = real({ clipKind: 'each', clip: 1, scale: 1, qMax: 1 });
    expect(codeOf(() => one({ visibility: 'noised', roundedNorm: 3, quantiser: each }))).toBe('vector/bad-layout');
  });
});

describe('quantising', () => {
  it('rounds up or down by the random word, never by more than one unit', () => {
    const values = [0.12345, -0.12345, 0, 0.5];
    expect([...of(one(), values, fixed(0)).values]).toEqual([123, -124, 0, 500]);
    expect([...of(one(), values, fixed(2 ** 32 - 1)).values]).toEqual([124, -123, 0, 500]);
  });
  it('is unbiased: the mean of many roundings is the value, within four standard deviations', () => {
    const count = 40_000;
    const seeded = words(count, 'rounding');
    for (const value of [0.0003, -0.7777, 0.12345, 0.999]) {
      const layout = one({ length: count });
      const { values, saturated } = of(layout, new Array<number>(count).fill(value), (n) =>
        Uint32Array.from(seeded.slice(0, n)),
      );
      const mean = values.reduce((sum, q) => sum + q, 0) / count;
      expect(saturated).toBe(0);
      // The variance of a rounding is p (1 - p), at most 1/4.
      expect(Math.abs(mean - value * 1000)).toBeLessThan((4 * 0.5) / Math.sqrt(count));
    }
  });
  it('cuts each coordinate to the clip and counts what it cut', () => {
    const { values, saturated } = of(one(), [2, -2, 1, -1]);
    expect([...values]).toEqual([1000, -1000, 1000, -1000]);
    expect(saturated).toBe(2);
  });
  it('scales a segment to the norm of its clip, keeps its direction and counts one cut', () => {
    const layout = one({ quantiser: real({ clipKind: 'l2', clip: 1, scale: 1e6, qMax: 1e6 }) });
    const { values, saturated } = of(layout, [30, 40, 0, 0]);
    expect(values[0]! / values[1]!).toBeCloseTo(0.75, 4);
    expect(l2Norm(dequantise(layout.segments[0]!, values))).toBeCloseTo(1, 4);
    expect(saturated).toBe(1);
    expect(of(layout, [0.3, 0.4, 0, 0]).saturated).toBe(0);
  });
  it('cuts what rounding lifts above q_max', () => {
    const layout = one({ quantiser: real({ scale: 1000.4, qMax: 1001 }), length: 1 });
    expect(of(layout, [1], fixed(2 ** 32 - 1)).values[0]).toBe(1001);
    const exact = one({ quantiser: real({ clip: 0.9999999, qMax: 1000 }), length: 1 });
    expect(Math.abs(of(exact, [-5], fixed(0)).values[0]!)).toBeLessThanOrEqual(1000);
  });
  it('takes whole numbers as they are up to their maximum', () => {
    const layout = one({ quantiser: { kind: 'integer', max: 10 } });
    const { values, saturated } = of(layout, [0, 7, 10, 11]);
    expect([...values]).toEqual([0, 7, 10, 10]);
    expect(saturated).toBe(1);
    for (const bad of [-1, 0.5, 2.000001]) expect(codeOf(() => of(layout, [bad, 0, 0, 0]))).toBe('vector/out-of-range');
  });
  it('rounds coarse segments to their step', () => {
    const layout = one({ quantiser: { kind: 'integer', max: 1000 }, visibility: 'coarse', coarseStep: 50 });
    const { values } = of(layout, [0, 24, 26, 1000]);
    expect([...values]).toEqual([0, 0, 50, 1000]);
    for (const value of values) expect(Math.abs(value)).toBeLessThanOrEqual(largestContribution(layout.segments[0]!));
  });
  it('refuses what is not finite, naming the segment', () => {
    for (const bad of [NaN, Infinity, -Infinity]) {
      expect(codeOf(() => of(one(), [0, bad, 0, 0]))).toBe('vector/not-finite');
      expect(() => of(one(), [0, bad, 0, 0])).toThrow(/coordinate 1 of segment "delta"/);
    }
  });
  it('refuses parts that are not those of the layout', () => {
    expect(codeOf(() => of(one(), [0, 0, 0]))).toBe('vector/out-of-range');
    expect(codeOf(() => quantise(one(), [], fixed(0)))).toBe('vector/out-of-range');
    expect(codeOf(() => quantise(one(), [{ name: 'other', values: new Float64Array(4) }], fixed(0)))).toBe(
      'vector/out-of-range',
    );
  });
  it('fills the coordinate that counts cuts from the segments before it', () => {
    const layout = layoutOf([spec(), spec({ name: 'saturated', length: 1, quantiser: { kind: 'integer', max: 3 } })]);
    const parts = (values: number[]): Parameters<typeof quantise>[1] => [
      { name: 'delta', values: Float64Array.from(values) },
      { name: 'saturated', values: new Float64Array(1) },
    ];
    expect(quantise(layout, parts([2, -2, 0, 0]), fixed(0)).values[4]).toBe(2);
    expect(quantise(layout, parts([2, -2, 3, 4]), fixed(0)).values[4]).toBe(3);
  });
  it('gives back what went in, to within a unit of every summand', () => {
    const layout = layoutOf([
      spec({ length: 100 }),
      spec({ name: 'count', length: 1, quantiser: { kind: 'integer', max: 9 } }),
    ]);
    const values = words(100, 'values').map((word) => word / 2 ** 31 - 1);
    const parts = [
      { name: 'delta', values: Float64Array.from(values) },
      { name: 'count', values: Float64Array.of(7) },
    ];
    const out = quantise(layout, parts, (count) => Uint32Array.from(words(count, 'u')));
    const back = dequantise(layout.segments[0]!, out.values);
    values.forEach((value, k) => {
      expect(Math.abs(back[k]! - value)).toBeLessThanOrEqual(1 / 1000);
    });
    expect([...dequantise(layout.segments[1]!, out.values)]).toEqual([7]);
  });
});

describe('a layout', () => {
  const REFUSED: [string, SegmentSpec[]][] = [
    ['without segments', []],
    ['with a segment twice', [spec(), spec()]],
    ['with a segment without a name', [spec({ name: '' })]],
    ['with a segment whose name has capitals', [spec({ name: 'Delta' })]],
    ['with a segment whose name is too long', [spec({ name: 'a'.repeat(101) })]],
    ['with an empty segment', [spec({ length: 0 })]],
    ['with half a coordinate', [spec({ length: 1.5 })]],
    ['longer than allowed', [spec({ length: 60_000_000 }), spec({ name: 'b', length: 60_000_000 })]],
    ['with a clip of zero', [spec({ quantiser: real({ clip: 0 }) })]],
    ['with a clip that is not finite', [spec({ quantiser: real({ clip: Infinity, qMax: 5 }) })]],
    ['with a scale of NaN', [spec({ quantiser: real({ scale: NaN }) })]],
    ['with a negative scale', [spec({ quantiser: real({ scale: -1 }) })]],
    ['with a q_max below clip times scale', [spec({ quantiser: real({ qMax: 999 }) })]],
    ['with an integer maximum of zero', [spec({ quantiser: { kind: 'integer', max: 0 } })]],
    ['with a coarse step of one', [spec({ visibility: 'coarse', coarseStep: 1 })]],
    ['with too many segments', Array.from({ length: 4097 }, (_, k) => spec({ name: `s${k}`, length: 1 }))],
  ];
  for (const [what, specs] of REFUSED)
    it(`is refused ${what}`, () => {
      expect(codeOf(() => layoutOf(specs))).toBe('vector/bad-layout');
    });
  it('names every bad segment at once', () => {
    expect(() => layoutOf([spec({ length: 0 }), spec({ name: 'b', quantiser: real({ clip: 0 }) })])).toThrow(
      /"delta".*"b"/,
    );
  });
  it('puts segments behind each other without padding', () => {
    const layout = layoutOf([spec({ length: 3 }), spec({ name: 'b', length: 5 })]);
    expect(layout.segments.map(({ offset }) => offset)).toEqual([0, 3]);
    expect(layout.length).toBe(8);
  });
  it('is refused exactly where n silos could reach 2^(m-1)', () => {
    const layout = one({ quantiser: { kind: 'integer', max: 1000 } });
    expect(
      codeOf(() => {
        refuseOverflow(layout, 32, 16);
      }),
    ).toBe('accepted');
    expect(
      codeOf(() => {
        refuseOverflow(layout, 33, 16);
      }),
    ).toBe('vector/overflow');
    const noised = (noiseTail: number): Layout =>
      one({ quantiser: { kind: 'integer', max: 1000 }, visibility: 'noised', noiseTail });
    expect(
      codeOf(() => {
        refuseOverflow(noised(24), 32, 16);
      }),
    ).toBe('vector/overflow');
    expect(
      codeOf(() => {
        refuseOverflow(noised(23), 32, 16);
      }),
    ).toBe('accepted');
    const coarse = one({ quantiser: { kind: 'integer', max: 1000 }, visibility: 'coarse', coarseStep: 24 });
    expect(
      codeOf(() => {
        refuseOverflow(coarse, 32, 16);
      }),
    ).toBe('vector/overflow');
  });
});

// Fast Fourier transform of complex vectors whose length is a power of two, in place. Radix 2, decimation in time.

import { invariant } from '../../base/index.js';

export interface ComplexVector {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

/** Forward transform, sum over j of z_j e^(-2 pi i j k / n); with `inverse` the other sign, divided by n. */
export function fftInto({ re, im }: ComplexVector, inverse = false): void {
  const n = re.length;
  invariant(n >= 1 && (n & (n - 1)) === 0 && im.length === n, 'a transform has a power of two of values');
  reorder(re, im);
  const { cosines, sines } = roots(n, inverse ? 1 : -1);
  for (let size = 2; size <= n; size *= 2) {
    const half = size >> 1;
    const stride = n / size;
    for (let start = 0; start < n; start += size)
      for (let k = 0, at = start, root = 0; k < half; k++, at++, root += stride) {
        // All indices are below n, those of roots below n / 2.
        const c = cosines[root] as number;
        const s = sines[root] as number;
        const x = re[at + half] as number;
        const y = im[at + half] as number;
        const re2 = x * c - y * s;
        const im2 = x * s + y * c;
        const re1 = re[at] as number;
        const im1 = im[at] as number;
        re[at] = re1 + re2;
        im[at] = im1 + im2;
        re[at + half] = re1 - re2;
        im[at + half] = im1 - im2;
      }
  }
  if (!inverse) return;
  for (let k = 0; k < n; k++) {
    re[k] = (re[k] as number) / n;
    im[k] = (im[k] as number) / n;
  }
}

/** Each root by itself, so that errors do not add up. */
function roots(n: number, sign: number): { cosines: Float64Array; sines: Float64Array } {
  const half = Math.max(1, n >> 1);
  const cosines = new Float64Array(half);
  const sines = new Float64Array(half);
  for (let k = 0; k < half; k++) {
    cosines[k] = Math.cos((2 * Math.PI * k) / n);
    sines[k] = sign * Math.sin((2 * Math.PI * k) / n);
  }
  return { cosines, sines };
}

function reorder(re: Float64Array, im: Float64Array): void {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j |= bit;
    if (i >= j) continue;
    const x = re[i] as number;
    const y = im[i] as number;
    re[i] = re[j] as number;
    im[i] = im[j] as number;
    re[j] = x;
    im[j] = y;
  }
}

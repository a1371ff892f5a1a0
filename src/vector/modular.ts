// Arithmetic in Z_{2^m}, 16 <= m <= 32, on 32-bit words. Loops are unrolled by eight: half the time of the plain loop, measured in
// tools/bench. Int32Array views make the engine use 32-bit adds without conversions.

export const MODULUS_BITS_MIN = 16;
export const MODULUS_BITS_MAX = 32;

/** dst += src, word by word, mod 2^32. Equal lengths. */
export function addInto(dst: Int32Array, src: Int32Array): void {
  const whole = dst.length & ~7;
  let i = 0;
  // Every index below is under `whole` and so under both lengths; `| 0` drops the undefined that the checker sees.
  for (; i < whole; i += 8) {
    dst[i] = ((dst[i] as number) + (src[i] as number)) | 0;
    dst[i + 1] = ((dst[i + 1] as number) + (src[i + 1] as number)) | 0;
    dst[i + 2] = ((dst[i + 2] as number) + (src[i + 2] as number)) | 0;
    dst[i + 3] = ((dst[i + 3] as number) + (src[i + 3] as number)) | 0;
    dst[i + 4] = ((dst[i + 4] as number) + (src[i + 4] as number)) | 0;
    dst[i + 5] = ((dst[i + 5] as number) + (src[i + 5] as number)) | 0;
    dst[i + 6] = ((dst[i + 6] as number) + (src[i + 6] as number)) | 0;
    dst[i + 7] = ((dst[i + 7] as number) + (src[i + 7] as number)) | 0;
  }
  for (; i < dst.length; i++) dst[i] = ((dst[i] as number) + (src[i] as number)) | 0;
}

/** dst −= src, word by word, mod 2^32. Equal lengths. */
export function subtractInto(dst: Int32Array, src: Int32Array): void {
  const whole = dst.length & ~7;
  let i = 0;
  // As in addInto.
  for (; i < whole; i += 8) {
    dst[i] = ((dst[i] as number) - (src[i] as number)) | 0;
    dst[i + 1] = ((dst[i + 1] as number) - (src[i + 1] as number)) | 0;
    dst[i + 2] = ((dst[i + 2] as number) - (src[i + 2] as number)) | 0;
    dst[i + 3] = ((dst[i + 3] as number) - (src[i + 3] as number)) | 0;
    dst[i + 4] = ((dst[i + 4] as number) - (src[i + 4] as number)) | 0;
    dst[i + 5] = ((dst[i + 5] as number) - (src[i + 5] as number)) | 0;
    dst[i + 6] = ((dst[i + 6] as number) - (src[i + 6] as number)) | 0;
    dst[i + 7] = ((dst[i + 7] as number) - (src[i + 7] as number)) | 0;
  }
  for (; i < dst.length; i++) dst[i] = ((dst[i] as number) - (src[i] as number)) | 0;
}

/** Keeps the low m bits of each word. */
export function reduceInto(words: Int32Array, modulusBits: number): void {
  if (modulusBits === 32) return;
  const mask = 2 ** modulusBits - 1;
  for (let i = 0; i < words.length; i++) words[i] = (words[i] as number) & mask;
}

/** The representative in [−2^(m−1), 2^(m−1)) of each residue, in place. */
export function centreInto(words: Int32Array, modulusBits: number): void {
  if (modulusBits === 32) return;
  const shift = 32 - modulusBits;
  for (let i = 0; i < words.length; i++) words[i] = ((words[i] as number) << shift) >> shift;
}

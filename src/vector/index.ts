// vector: the vector that is summed: its layout, quantising into integers, modular arithmetic, packing, and the fingerprint of a sum.
// Knows neither keys nor machine learning.

export * from './errors.js';
export * from './fingerprint.js';
export { addSums, addWords, lowWords, lowWordsInto, wideSums, type WideSums } from './kernels/adder.js';
export { maskPiece, PIECE_WORDS, wipeKernel, type FillBytes } from './kernels/masker.js';
export * from './layout.js';
export * from './modular.js';
export * from './norm.js';
export * from './pack.js';
export * from './quantise.js';

// Features of records that a test made few enough to lie in memory.

export function held(features: unknown): Float32Array {
  if (features instanceof Float32Array) return features;
  throw new Error('these records are not in memory');
}

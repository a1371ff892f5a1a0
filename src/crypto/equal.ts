import { timingSafeEqual } from 'node:crypto';

/** Comparison for secrets: its time does not tell where they differ. Unequal lengths are unequal (a length is no secret). */
export function equalSecret(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

// Time as data. Pure rooms never read a clock: an instant arrives in an event.

import type { Branded } from './ids.js';

/** Milliseconds since 1970-01-01T00:00:00Z, an integer. */
export type UnixMs = Branded<number, 'UnixMs'>;

export function unixMs(value: number): UnixMs {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not a time in milliseconds: ${String(value)}`);
  // The check is what the brand stands for.
  return value as UnixMs;
}

export function plusMs(at: UnixMs, durationMs: number): UnixMs {
  return unixMs(at + durationMs);
}

/** `2026-01-31T09:30:00.000Z`. */
export function isoTime(at: UnixMs): string {
  const days = Math.floor(at / 86_400_000);
  const ms = at - days * 86_400_000;
  // Civil-from-days (H. Hinnant, "chrono-compatible low-level date algorithms"): exact for the proleptic Gregorian calendar.
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const dayOfEra = z - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1;
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const two = (n: number): string => String(n).padStart(2, '0');
  const clock = `${two(Math.floor(ms / 3_600_000))}:${two(Math.floor(ms / 60_000) % 60)}:${two(Math.floor(ms / 1000) % 60)}`;
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${clock}.${String(ms % 1000).padStart(3, '0')}Z`;
}

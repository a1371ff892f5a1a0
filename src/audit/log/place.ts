// An entry stands where its message belongs.

import { verified } from '../errors.js';
import type { Numbered } from './tree.js';

/** Throws VerifyError `verify/entry-place` unless `holds`. */
export function samePlace(holds: boolean, { index, entry }: Numbered): void {
  verified(
    holds,
    'verify/entry-place',
    `entry ${String(index)} stands as a ${entry.kind} of round ${String(entry.round)}, attempt ${String(entry.attempt)} of job "${entry.job}"; its message belongs elsewhere.`,
    [index],
  );
}

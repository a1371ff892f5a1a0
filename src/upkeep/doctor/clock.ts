// This machine's clock against whatever else can tell the time: the authority's service, the coordinator, the database, or, where nobody
// can be asked, what this machine itself wrote before.

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isoTime, unixMs } from '../../base/index.js';
import { systemClock } from '../../system/index.js';
import { failed, type Finding, ok, warning } from './finding.js';

const SECOND = 1000;
/** Certificates begin ten minutes in the past; half of that is early enough to say something. */
const SKEW_WARNING_MS = 60 * SECOND;
const SKEW_FAILED_MS = 300 * SECOND;
const REMEDY = 'Run a time service on this machine (chrony, systemd-timesyncd).';

/** `theirs` was told between `before` and now; `whose`: "the authority’s". Answers tell whole seconds. */
export function compareClocks(theirs: number, whose: string, before: number): Finding {
  const skew = theirs - (before + systemClock.now()) / 2;
  if (Math.abs(skew) < SKEW_WARNING_MS) return ok('clock', `agrees with ${whose}`);
  const seconds = String(Math.round(Math.abs(skew) / SECOND));
  // Ours is behind where theirs is ahead.
  const found = `${seconds} s ${skew < 0 ? 'ahead of' : 'behind'} ${whose}`;
  return Math.abs(skew) < SKEW_FAILED_MS ? warning('clock', found, REMEDY) : failed('clock', found, REMEDY);
}

/** Nobody can be asked: at least it must not stand before what was written here. */
export async function checkOwnClock(state: string): Promise<Finding> {
  const newest = Math.max(0, ...(await changesIn(state)));
  const now = systemClock.now();
  if (newest > now + SKEW_WARNING_MS)
    return failed(
      'clock',
      `${isoTime(now)}, and ${state} was written at ${isoTime(unixMs(Math.floor(newest)))}`,
      REMEDY,
    );
  return warning(
    'clock',
    `${isoTime(now)}; there is nobody to compare it with`,
    'Name the authority’s service in the configuration, or see to it that a time service runs here (chronyc tracking, timedatectl).',
  );
}

/** Of the folder and what lies directly in its folders. */
async function changesIn(state: string): Promise<number[]> {
  const times: number[] = [];
  for (const folder of [state, join(state, 'journal')])
    try {
      for (const name of await readdir(folder)) times.push((await stat(join(folder, name))).mtimeMs);
    } catch {
      // Not there yet, or gone while we looked.
    }
  return times;
}

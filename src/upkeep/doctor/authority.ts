// The authority's service, and its clock, which is the one that certificates are made by.

import { askTime, type Endpoint } from '../../enrolment/index.js';
import { systemClock } from '../../system/index.js';
import { failed, type Finding, ok, warning } from './finding.js';

const SECOND = 1000;
/** Certificates begin ten minutes in the past; half of that is early enough to say something. */
const SKEW_WARNING_MS = 60 * SECOND;
const SKEW_FAILED_MS = 300 * SECOND;

export async function checkAuthority(endpoint: Endpoint, consortium: string, ca: string): Promise<Finding[]> {
  const before = systemClock.now();
  const theirs = await askTime(endpoint, consortium, ca);
  const skew = theirs - (before + systemClock.now()) / 2;
  const found = `${String(Math.round(Math.abs(skew) / SECOND))} s ${skew < 0 ? 'ahead of' : 'behind'} the authority’s`;
  const reached = ok('authority', `${endpoint.address} answers`);
  const remedy = 'Run a time service on this machine (chrony, systemd-timesyncd).';
  // The header has whole seconds.
  if (Math.abs(skew) < SKEW_WARNING_MS) return [reached, ok('clock', 'agrees with the authority’s')];
  return [reached, Math.abs(skew) < SKEW_FAILED_MS ? warning('clock', found, remedy) : failed('clock', found, remedy)];
}

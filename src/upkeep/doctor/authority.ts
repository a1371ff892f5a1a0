// The authority's service, and its clock, which is the one that certificates are made by.

import { askTime, type Endpoint } from '../../enrolment/index.js';
import { systemClock } from '../../system/index.js';
import { compareClocks } from './clock.js';
import { type Finding, ok } from './finding.js';

export async function checkAuthority(endpoint: Endpoint, consortium: string, ca: string): Promise<Finding[]> {
  const before = systemClock.now();
  const theirs = await askTime(endpoint, consortium, ca);
  return [ok('authority', `${endpoint.address} answers`), compareClocks(theirs, 'the authority’s', before)];
}

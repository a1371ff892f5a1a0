// One released message, checked share by share against what its dealers committed to.

import type { Envelope } from '../../wire/index.js';
import { openRelease } from '../check/unmask.js';
import { demanded } from '../rejection.js';
import { alreadyStored, withEntry, type Located } from './change.js';

/** The attempt with one more release; undefined when it was known. */
export function addRelease(found: Located, envelope: Envelope): Located | undefined {
  const { attempt } = found;
  const keys = demanded(attempt.keys, 'job/state', 'no keys.');
  const dealers = demanded(attempt.dealers, 'job/state', 'no dealers.');
  const survivors = demanded(attempt.survivors, 'job/state', 'no survivors.');
  const release = openRelease(attempt.context, keys, dealers, survivors, envelope);
  if (alreadyStored(attempt.releases.get(release.index)?.envelope, envelope)) return undefined;
  return { ...found, attempt: { ...attempt, releases: withEntry(attempt.releases, release.index, release) } };
}

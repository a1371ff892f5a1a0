// Masked inputs go when nobody can need them any more.

import type { CoordinatorState } from '../src/protocol/index.js';
import { attemptPrefix, uploadPrefix, type Store } from './store.js';

/**
 * Masked inputs are kept while their attempt is open. Those of closed rounds are erased on schedule (retention.ts), with a word in the
 * log; all others go, whenever a crash came between the end of their attempt and their deletion.
 */
export async function dropOldUploads(current: () => CoordinatorState, uploads: Store['uploads']): Promise<void> {
  // Names first: a state that is newer than they are knows every upload that was begun under an older one.
  for (const name of await uploads.names()) if (!isKept(current(), name)) await uploads.delete(name);
}

function isKept({ jobs }: CoordinatorState, name: string): boolean {
  for (const { open, closed } of jobs.values()) {
    if (open !== undefined && name.startsWith(attemptPrefix(open.plan.rid, open.attempt.context.attempt.attempt)))
      return true;
    for (const { plan } of closed) if (name.startsWith(uploadPrefix(plan.rid))) return true;
  }
  return false;
}

export async function dropUploads(uploads: Store['uploads'], prefix: string): Promise<void> {
  for (const name of await uploads.names()) if (name.startsWith(prefix)) await uploads.delete(name);
}

// Masked inputs go when nobody can need them any more.

import type { CoordinatorState } from '../src/protocol/index.js';
import { attemptPrefix, uploadPrefix, type Store } from './store.js';

/**
 * Masked inputs are kept while their attempt is open. Those of closed rounds are erased on schedule (retention.ts), with a word in the
 * log; all others go, whenever a crash came between the end of their attempt and their deletion.
 */
export async function dropOldUploads(state: CoordinatorState, uploads: Store['uploads']): Promise<void> {
  const kept: string[] = [];
  for (const { open, closed } of state.jobs.values()) {
    if (open !== undefined) kept.push(attemptPrefix(open.plan.rid, open.attempt.context.attempt.attempt));
    for (const { plan } of closed) kept.push(uploadPrefix(plan.rid));
  }
  for (const name of uploads.names()) if (!kept.some((prefix) => name.startsWith(prefix))) await uploads.delete(name);
}

export async function dropUploads(uploads: Store['uploads'], prefix: string): Promise<void> {
  for (const name of uploads.names()) if (name.startsWith(prefix)) await uploads.delete(name);
}

// Computations that the state waits for: what a restarted coordinator has to ask for again.

import { defined } from '../../base/index.js';
import type { CoordinatorEffect } from './event.js';
import type { CoordinatorState } from './state.js';

export function pendingComputations(state: CoordinatorState): CoordinatorEffect[] {
  const pending: CoordinatorEffect[] = [];
  for (const job of state.jobs.values()) {
    const attempt = job.open?.attempt;
    if (attempt === undefined) continue;
    const { context } = attempt;
    if (attempt.phase === 'mask' && attempt.closing)
      pending.push({ kind: 'compute-sum', context, inputs: attempt.masked });
    if (attempt.phase === 'confirm' && attempt.quorum !== undefined)
      pending.push({
        kind: 'check-fingerprints',
        context,
        survivors: defined(attempt.survivors, 'the survivors of a closed confirmation'),
        fingerprints: attempt.consistency,
      });
    if (attempt.phase === 'publish') {
      const survivors = defined(attempt.survivors, 'the survivors of an opened sum');
      const quorum = defined(attempt.quorum, 'the quorum of an opened sum');
      pending.push({
        kind: 'open-sum',
        context,
        keys: defined(attempt.keys, 'the keys of an opened sum'),
        dealers: defined(attempt.dealers, 'the dealers of an opened sum'),
        survivors,
        secrets: defined(attempt.secrets, 'the secrets of an opened sum'),
        missing: [...survivors.members.keys()].filter((index) => !quorum.has(index)),
      });
    }
  }
  return pending;
}

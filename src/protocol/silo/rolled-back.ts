// The silos of a job have voted that it goes on from an earlier model: one that this silo computed itself.

import { equalBytes } from '../../base/index.js';
import { decode, Rollback, type RollbackDirective } from '../../wire/index.js';
import { demand, demanded } from '../rejection.js';
import { openDecision, rollbackHash } from '../vote.js';
import { withJob } from './change.js';
import type { Accepted, JournalledEvent } from './event.js';
import type { SiloState } from './state.js';

export function onRolledBack(state: SiloState, event: JournalledEvent, value: RollbackDirective): Accepted<SiloState> {
  const [first] = value.votes;
  const { manifestHash } = decode(Rollback, 'rollback', first?.payload ?? new Uint8Array());
  const job = demanded(
    [...state.jobs.values()].find(({ manifest }) => equalBytes(manifest.hash, manifestHash)),
    'vote/invalid',
    'the votes are about no job of this silo.',
  );
  const decision = openDecision(job.manifest, value.votes);
  const hash = rollbackHash(decision);
  // Shown again after a restart or a reconnect.
  if (job.rollbacks.some((one) => equalBytes(one, hash))) return { state, effects: [] };
  demand(job.prepared, 'plan/not-prepared', 'the job is still being prepared.', 'state');
  demand(
    job.open === undefined && equalBytes(decision.afterHash, job.previousResultHash),
    'vote/invalid',
    'the rollback does not follow from the last round that this silo verified.',
    'state',
  );
  const base = decision.baseRound === 0 ? job.manifest.initialModelHash : job.models.get(decision.baseRound);
  demand(
    base !== undefined && equalBytes(base, decision.baseModelHash),
    'vote/invalid',
    `the model that this silo computed after round ${String(decision.baseRound)} has another hash.`,
  );
  return {
    state: withJob(state, {
      ...job,
      modelHash: decision.baseModelHash,
      previousResultHash: hash,
      rollbacks: [...job.rollbacks, hash],
      stopped: false,
    }),
    effects: [
      { kind: 'persist', event, emitted: [] },
      {
        kind: 'notice',
        jobId: job.manifest.jobId,
        round: job.closedRound,
        code: 'vote/rolled-back',
        detail: `${String(value.votes.length)} silos voted that the job goes on from the model of round ${String(decision.baseRound)}.`,
      },
    ],
  };
}

// Votes of the silos' operators: gathered, and acted on as soon as enough agree.

import { asHash, equalBytes, type Hash, type SiloId } from '../../base/index.js';
import { Approval, decode, type Envelope } from '../../wire/index.js';
import { demand, demanded } from '../rejection.js';
import { decisionName, openExclude, openRollback, rollbackHash, votesNeeded, type RollbackVote } from '../vote.js';
import { alreadyStored, ANSWERED, stored, withEntry, withJob } from './change.js';
import type { Accepted, CoordinatorEvent } from './event.js';
import type { CoordinatorJob, CoordinatorState } from './state.js';

export function onExclude(
  state: CoordinatorState,
  event: CoordinatorEvent,
  silo: SiloId,
  envelope: Envelope,
): Accepted<CoordinatorState> {
  const job = votedOn(state, envelope);
  const { excluded } = openExclude(job.manifest, silo, envelope);
  const votes = job.excludeVotes.get(excluded) ?? new Map<SiloId, Envelope>();
  if (alreadyStored(votes.get(silo), envelope)) return { state, effects: [ANSWERED] };
  const cast = withEntry(votes, silo, envelope);
  const excludeVotes = withEntry(job.excludeVotes, excluded, cast);
  const decided = cast.size >= votesNeeded(job.manifest) && !job.barred.has(excluded);
  const round = job.open?.plan.round ?? job.closed.length;
  const barred = decided
    ? withEntry(job.barred, excluded, { code: 'vote/excluded', round, evidence: [...cast.values()] })
    : job.barred;
  return stored(withJob(state, { ...job, excludeVotes, barred }), event);
}

export function onRollback(
  state: CoordinatorState,
  event: CoordinatorEvent,
  silo: SiloId,
  envelope: Envelope,
): Accepted<CoordinatorState> {
  const job = votedOn(state, envelope);
  const vote = openRollback(job.manifest, silo, envelope);
  const name = decisionName(vote);
  const votes = job.rollbackVotes.get(name) ?? new Map<SiloId, Envelope>();
  if (alreadyStored(votes.get(silo), envelope)) return { state, effects: [ANSWERED] };
  demandApplies(job, vote);
  const cast = withEntry(votes, silo, envelope);
  const gathered = { ...job, rollbackVotes: withEntry(job.rollbackVotes, name, cast) };
  if (cast.size < votesNeeded(job.manifest)) return stored(withJob(state, gathered), event);
  const rolledBack: CoordinatorJob = {
    ...gathered,
    modelHash: vote.baseModelHash,
    // The state of a round's model is kept under its hash; the first one is computed from the job itself.
    modelState: vote.baseRound === 0 ? new Uint8Array() : vote.baseModelHash,
    previousResultHash: rollbackHash(vote),
    rejectedInRow: 0,
    rollbacks: [...job.rollbacks, { by: state.events, afterRound: job.closed.length, votes: [...cast.values()] }],
  };
  return stored(withJob(state, rolledBack), event);
}

/** Approvals and both kinds of vote begin with the silo and the manifest; fields of other types behind them are passed over. */
function votedOn({ jobs }: CoordinatorState, envelope: Envelope): CoordinatorJob {
  const { manifestHash } = decode(Approval, 'vote', envelope.payload);
  return demanded(
    [...jobs.values()].find((job) => equalBytes(job.manifest.hash, manifestHash)),
    'approval/unknown-manifest',
    'no job has the manifest that this vote is about.',
    'missing',
  );
}

function demandApplies(job: CoordinatorJob, vote: RollbackVote): void {
  demand(
    job.open === undefined,
    'job/state',
    `a round of job "${job.manifest.jobId}" is open: pause the job, and vote when the round is over.`,
    'state',
  );
  demand(
    job.rollbacks.at(-1)?.afterRound !== job.closed.length,
    'job/state',
    `job "${job.manifest.jobId}" was rolled back after its last round already.`,
    'state',
  );
  demand(
    equalBytes(vote.afterHash, job.previousResultHash),
    'vote/invalid',
    'the rollback does not follow from the last round: another one has ended since.',
    'state',
  );
  const base = modelAfter(job, vote.baseRound);
  demand(
    base !== undefined && equalBytes(base, vote.baseModelHash),
    'vote/invalid',
    `the model of round ${String(vote.baseRound)} has another hash, or there is no such round.`,
  );
}

/** The model after a round; 0: the first one. */
function modelAfter({ manifest, closed }: CoordinatorJob, round: number): Hash | undefined {
  if (round === 0) return manifest.initialModelHash;
  const ended = closed[round - 1];
  return ended === undefined ? undefined : (asHash(ended.result?.newModelHash ?? ended.plan.modelHash) ?? undefined);
}

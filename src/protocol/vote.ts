// What silos decide together by their operators' signatures when a job is stuck (docs/protocol.md §2.9): to hear a silo no more, or to go
// on from an earlier model. No vote travels inside a sum: there one silo could put a whole quorum into its own coordinate. Votes are signed
// under the roster of the job: they count though the silo has been removed since.

import { asHash, asSiloId, concat, equalBytes, hex, u32be, type Hash, type SiloId } from '../base/index.js';
import { hash, LABELS } from '../crypto/index.js';
import { Exclude, Rollback, type Envelope } from '../wire/index.js';
import { openEnvelope } from './envelope.js';
import type { Manifest } from './manifest.js';
import { thresholdFor } from './params.js';
import { demand, demanded } from './rejection.js';
import { siloSigner } from './roster.js';

/** How many distinct silos of a job must agree. */
export function votesNeeded(manifest: Manifest): number {
  return thresholdFor(manifest.silos.length);
}

export interface ExcludeVote {
  readonly voter: SiloId;
  readonly excluded: SiloId;
  readonly envelope: Envelope;
}

/** Throws Refusal `vote/invalid`. */
export function openExclude(manifest: Manifest, voter: SiloId, envelope: Envelope): ExcludeVote {
  const { message } = openEnvelope(manifest.roster, envelope, { type: 'exclude', signer: siloSigner(voter) }, Exclude);
  demandVoter(manifest, voter, message);
  const excluded = demanded(asSiloId(message.excluded), 'vote/invalid', 'the silo to be excluded has no name.');
  demand(
    manifest.silos.includes(excluded),
    'vote/invalid',
    `${excluded} is not in job "${manifest.jobId}": there is nothing to exclude it from.`,
  );
  return { voter, excluded, envelope };
}

/** Whom enough distinct silos of the job have voted to exclude, by these envelopes. Throws Refusal `vote/invalid`, `vote/too-few`. */
export function openExclusions(manifest: Manifest, envelopes: readonly Envelope[]): Set<SiloId> {
  const voters = new Map<SiloId, Set<SiloId>>();
  for (const envelope of envelopes) {
    const voter = manifest.silos.find((silo) => siloSigner(silo) === envelope.signer);
    const vote = openExclude(manifest, voterOf(voter, manifest, envelope), envelope);
    voters.set(vote.excluded, (voters.get(vote.excluded) ?? new Set()).add(vote.voter));
  }
  const needed = votesNeeded(manifest);
  for (const [excluded, votes] of voters)
    demand(
      votes.size >= needed,
      'vote/too-few',
      `${String(votes.size)} silos of job "${manifest.jobId}" have voted to exclude ${excluded}, ${String(needed)} are needed.`,
    );
  return new Set(voters.keys());
}

function voterOf(voter: SiloId | undefined, { jobId }: Manifest, { signer }: Envelope): SiloId {
  return demanded(voter, 'vote/invalid', `"${signer.slice(0, 80)}" is no silo of job "${jobId}".`);
}

export interface RollbackDecision {
  readonly afterHash: Hash;
  readonly baseRound: number;
  readonly baseModelHash: Hash;
}

export interface RollbackVote extends RollbackDecision {
  readonly voter: SiloId;
  readonly envelope: Envelope;
}

/** Throws Refusal `vote/invalid`. */
export function openRollback(manifest: Manifest, voter: SiloId, envelope: Envelope): RollbackVote {
  const { message } = openEnvelope(
    manifest.roster,
    envelope,
    { type: 'rollback', signer: siloSigner(voter) },
    Rollback,
  );
  demandVoter(manifest, voter, message);
  return {
    voter,
    afterHash: demanded(asHash(message.afterHash), 'vote/invalid', 'what the rollback follows has not 32 bytes.'),
    baseRound: message.baseRound,
    baseModelHash: demanded(asHash(message.baseModelHash), 'vote/invalid', 'the hash of its model has not 32 bytes.'),
    envelope,
  };
}

function demandVoter(
  manifest: Manifest,
  voter: SiloId,
  message: { readonly siloId: string; readonly manifestHash: Uint8Array },
): void {
  demand(
    message.siloId === voter && manifest.silos.includes(voter) && equalBytes(message.manifestHash, manifest.hash),
    'vote/invalid',
    `the vote is not one of ${voter} about job "${manifest.jobId}".`,
  );
}

/** Name of a decision: votes for it count together. */
export function decisionName({ afterHash, baseRound, baseModelHash }: RollbackDecision): string {
  return `${hex(afterHash)}/${String(baseRound)}/${hex(baseModelHash)}`;
}

/** What the next plan follows from, once the votes have decided. */
export function rollbackHash({ afterHash, baseRound, baseModelHash }: RollbackDecision): Hash {
  return hash(LABELS.rollback, concat(afterHash, u32be(baseRound), baseModelHash));
}

/** Enough distinct silos of the job have voted for one and the same. Throws Refusal `vote/invalid`, `vote/too-few`. */
export function openDecision(manifest: Manifest, envelopes: readonly Envelope[]): RollbackDecision {
  const votes = new Map<SiloId, RollbackVote>();
  for (const envelope of envelopes) {
    const voter = manifest.silos.find((silo) => siloSigner(silo) === envelope.signer);
    const vote = openRollback(manifest, voterOf(voter, manifest, envelope), envelope);
    votes.set(vote.voter, vote);
  }
  const [first, ...others] = votes.values();
  const needed = votesNeeded(manifest);
  demand(
    first !== undefined && votes.size >= needed,
    'vote/too-few',
    `${String(votes.size)} silos of job "${manifest.jobId}" have voted, ${String(needed)} are needed.`,
  );
  demand(
    others.every((vote) => decisionName(vote) === decisionName(first)),
    'vote/invalid',
    'the votes are for different decisions.',
  );
  return first;
}

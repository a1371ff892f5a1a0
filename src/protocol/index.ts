// protocol: the secure sum as two pure state machines, and the checks that silo, coordinator and auditor share. Knows nothing of machine
// learning, of the network or of disks. docs/protocol.md is its specification.

export { fromBitmap, toBitmap } from './bitmap.js';
export * from './check/advertised.js';
export * from './check/checkpoint.js';
export * from './check/context.js';
export * from './check/dealers.js';
export * from './check/ranges.js';
export * from './check/result.js';
export * from './check/survivors.js';
export * from './check/unmask.js';
export * from './check/vectors.js';
export * from './coordinator/index.js';
export { equalEnvelopes, openEnvelope, seal, type Opened } from './envelope.js';
export { openAsDealer, shareMatches } from './dealing.js';
export * from './evidence.js';
export { maskingGraph, ringPlaces, type MaskingGraph } from './graph.js';
export type { Exhibits } from './exhibits.js';
export { mechanismFor, mechanismOf, unitOf, usesOf, type Budget, type LedgerEntry, type Unit } from './ledger.js';
export { openCase, requestOf, ridOf, type Case, type CaseType, type MessageOf, type Statement } from './judge/case.js';
export { CHARGES, type Charge, type Conviction } from './judge/charge.js';
export { badShares } from './judge/shares.js';
export * from './manifest.js';
export { applyMasks, remainingMasks, RANGE_ALIGNMENT, type MaskKeys } from './masking.js';
export { siloVariance, type SumNoise, type UnitNoise } from './noise.js';
export * from './order.js';
export * from './params.js';
export { demandPlanFits, indexIn, NO_PREVIOUS, openAttempt, openPlan, type Attempt, type Plan } from './plan.js';
export * from './rejection.js';
export { RECORD_VERSION, replayCoordinator, replaySilo } from './replay.js';
export * from './roster.js';
export * from './succession.js';
export * from './silo/index.js';
export { INPUT_BLOCK_BYTES, InputRoot, leafOf, rootOfLeaves, sumHasher } from './vector-hash.js';
export {
  decisionName,
  openDecision,
  openExclude,
  openExclusions,
  openRollback,
  rollbackHash,
  votesNeeded,
  type RollbackDecision,
} from './vote.js';
export { attemptId, shownTranscript1, shownTranscript2, shownTranscript3 } from './transcript.js';
export * from './version.js';
export { weightStreams } from './weights.js';

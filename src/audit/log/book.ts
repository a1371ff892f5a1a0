// What the log says of a job, gathered by round and attempt.

import type { Hash, SiloId } from '../../base/index.js';
import type { Manifest, Plan, RollbackDecision } from '../../protocol/index.js';
import type {
  Ack,
  AttemptStart,
  ClosingStatement,
  Consistency,
  ConsistencyRequest,
  Dispute,
  RoundResult,
} from '../../wire/index.js';
import type { Logged } from './messages.js';

export interface JobBook {
  readonly manifest: Manifest;
  /** Index of the first approval of each silo. */
  readonly approvals: Map<SiloId, number>;
  /** Index of the approval or refusal of each silo. */
  readonly decisions: Map<SiloId, number>;
  readonly rounds: Map<number, RoundBook>;
  /** Voters for each decision to go back, by its name. */
  readonly rollbackVotes: Map<string, Set<SiloId>>;
  /** Decisions that enough silos have voted for, in order. */
  readonly rollbacks: DecidedRollback[];
  /** Voters for the exclusion of each silo. */
  readonly excludeVotes: Map<SiloId, Set<SiloId>>;
}

export interface DecidedRollback {
  readonly decision: RollbackDecision;
  /** Of the vote that decided it. */
  readonly index: number;
  /** Rounds that had an end by then. */
  readonly afterRound: number;
}

export interface Terminal {
  readonly index: number;
  /** H("result", payload) or H("closing/abandon", payload). */
  readonly hash: Hash;
  readonly digest: Uint8Array;
  /** Undefined for an Abandon. */
  readonly result: Logged<RoundResult> | undefined;
  /** Of the result. */
  readonly attempt: number;
}

export interface RoundBook {
  readonly plan: Plan;
  readonly index: number;
  readonly attempts: Map<number, AttemptBook>;
  /** By attempt, then by silo. */
  readonly aborts: Map<number, Set<string>>;
  /** The first one, which counts. */
  terminal: Terminal | undefined;
  readonly acks: Logged<Ack>[];
  readonly disputes: Logged<Dispute>[];
  /** What of it the coordinator said to have erased, with the index of the entry. */
  readonly erased: Map<string, number>;
}

export interface AttemptBook {
  readonly start: Logged<AttemptStart>;
  t1: Closed | undefined;
  t2: Closed | undefined;
  t3: (Logged<ConsistencyRequest> & { readonly t3: Hash }) | undefined;
  /** By signer. */
  readonly consistency: Map<string, Logged<Consistency>>;
  /** Digest of the release and its index, by signer. */
  readonly releases: Map<string, { readonly index: number; readonly digest: Uint8Array }>;
  /** Index of the first Abort or Decline, by signer: nobody waits for them any more. */
  readonly left: Map<string, number>;
  complaints: number;
  /** Of declines, protests, complaints and answers: the entry, by who said what. */
  readonly said: Map<string, { readonly index: number }>;
}

/** U1 or U2 as the coordinator closed it. */
export interface Closed extends ClosingStatement {
  readonly index: number;
  /** When, by the coordinator's clock. */
  readonly at: number;
}

export function newRound(plan: Plan, index: number): RoundBook {
  return {
    plan,
    index,
    attempts: new Map(),
    aborts: new Map(),
    terminal: undefined,
    acks: [],
    disputes: [],
    erased: new Map(),
  };
}

export function newAttempt(start: Logged<AttemptStart>): AttemptBook {
  return {
    start,
    t1: undefined,
    t2: undefined,
    t3: undefined,
    consistency: new Map(),
    releases: new Map(),
    left: new Map(),
    complaints: 0,
    said: new Map(),
  };
}

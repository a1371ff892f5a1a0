// What the log says of a job, gathered by round and attempt.

import type { Hash, SiloId } from '../../base/index.js';
import type { Manifest, Plan } from '../../protocol/index.js';
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
  readonly rounds: Map<number, RoundBook>;
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
}

export interface AttemptBook {
  readonly start: Logged<AttemptStart>;
  t1: (ClosingStatement & { readonly index: number }) | undefined;
  t2: (ClosingStatement & { readonly index: number }) | undefined;
  t3: (Logged<ConsistencyRequest> & { readonly t3: Hash }) | undefined;
  /** By signer. */
  readonly consistency: Map<string, Logged<Consistency>>;
  /** Digest of the release and its index, by signer. */
  readonly releases: Map<string, { readonly index: number; readonly digest: Uint8Array }>;
}

export function newRound(plan: Plan, index: number): RoundBook {
  return { plan, index, attempts: new Map(), aborts: new Map(), terminal: undefined, acks: [], disputes: [] };
}

export function newAttempt(start: Logged<AttemptStart>): AttemptBook {
  return { start, t1: undefined, t2: undefined, t3: undefined, consistency: new Map(), releases: new Map() };
}

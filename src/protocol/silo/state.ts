// The state of one silo over all its jobs: one serial state, because the input rule, the ledger and the daily limits span jobs
// (docs/protocol.md §2.4). Journal states: PLANNED → ADVERTISED → SHARED → MASKED → SIGNED → RELEASED → ACKED | BURNT | ABANDONED.

import type { Hash, JobId, SiloId, UnixMs } from '../../base/index.js';
import type { SecretBytes, SigningKey } from '../../crypto/index.js';
import type { GraphParameters } from '../../privacy/index.js';
import type { Envelope, ShareHeader } from '../../wire/index.js';
import type { KeySet } from '../check/advertised.js';
import type { RoundContext } from '../check/context.js';
import type { Dealer, DealerSet } from '../check/dealers.js';
import type { SurvivorSet } from '../check/survivors.js';
import type { HeldShares } from '../dealing.js';
import type { Budget, LedgerEntry } from '../ledger.js';
import type { Manifest } from '../manifest.js';
import type { Plan } from '../plan.js';
import type { Roster } from '../roster.js';

/** The silo's own floors and limits, from its own configuration. The coordinator can raise none and lower none. */
export interface SiloPolicy {
  /** Smallest cohort; applies to n. */
  readonly minCohort: number;
  /** Honest inputs that any opened sum must hold; at least 2. */
  readonly minHonest: number;
  /** Malicious silos to assume at the least; the effective c is the larger of this and the manifest's. */
  readonly maxMalicious: number;
  /** The same for what is forgotten, where a journal is folded under the policy of its day; otherwise maxMalicious. */
  readonly maliciousWhenForgetting?: number;
  readonly roundsPerDay: number;
  /** Whether a sum that isolates one silo by its difference to the last one is refused; warned of unless it says so. */
  readonly differencing?: 'warn' | 'refuse' | undefined;
  /** What data sets may cost, by name; those that are not here cost without limit. */
  readonly budgets?: ReadonlyMap<string, Budget> | undefined;
  /** Whether jobs may mask along a regular graph; the complete one is demanded unless it says so. */
  readonly graph?: 'complete' | 'regular' | undefined;
}

export interface SiloSelf {
  readonly siloId: SiloId;
  readonly signingKey: SigningKey;
  /** Joins checkpoints of the log; must be there when the roster names a log. */
  readonly cosigningKey?: SigningKey | undefined;
  /** The one in force: at first the pinned one, and then whatever succeeded it (succession.ts). */
  readonly roster: Roster;
  readonly policy: SiloPolicy;
}

export interface SiloState {
  readonly self: SiloSelf;
  readonly jobs: ReadonlyMap<JobId, JobState>;
  /** What was opened under each input key, hex of the key (§3). */
  readonly openings: ReadonlyMap<string, readonly Opening[]>;
  /** What each data set was used for, never refunded. */
  readonly ledger: ReadonlyMap<string, readonly LedgerEntry[]>;
  /** The last sums of each kind, oldest first and each over other survivors, for the differencing guard. */
  readonly lastSums: ReadonlyMap<string, readonly LastSum[]>;
  /** When plans of the last day were accepted, for the daily limit. */
  readonly recentPlans: readonly UnixMs[];
  /** The transparency log as far as this silo has read it. */
  readonly witness: WitnessState;
  /** Parts of a snapshot that is being read; undefined outside of it. */
  readonly restoring?: Uint8Array;
  /** The last Erasure that was signed. */
  readonly erased?: Envelope;
  /** This silo's signature on the roster that is to succeed the one in force: one for each epoch. */
  readonly successor?: { readonly envelope: Envelope; readonly roster: Uint8Array } | undefined;
}

export interface WitnessState {
  /** Compact range of the entries that were read; empty before the first. */
  readonly range: Uint8Array;
  readonly size: number;
  /** Roots, in hexadecimal, by size: of the last checkpoints that were read. */
  readonly roots: ReadonlyMap<number, string>;
  /** Which silos were seen to have cosigned the newest checkpoints, by size. */
  readonly cosigners: ReadonlyMap<number, ReadonlySet<SiloId>>;
  /** Hello of the program that runs now, and its index once it was read. */
  readonly hello?: { readonly envelope: Envelope; readonly index?: number };
  /** First terminal entry of each round, by job and round; of jobs that were not offered here the newest few (LIMITS.strangeTerminals). */
  readonly terminals: ReadonlyMap<string, { readonly digest: Uint8Array; readonly index: number }>;
  /** The last Cosign, resent as it is. */
  readonly cosigned?: { readonly size: number; readonly envelope: Envelope };
  /** Last round of each job that this silo sits out, because the log knows more of it than this journal. */
  readonly sitsOut: ReadonlyMap<string, number>;
  /** What the log knows of this silo in rounds that are not closed here, and this journal does not; by job and round. */
  readonly forgotten: ReadonlyMap<string, Forgotten>;
}

export interface Forgotten {
  readonly released: boolean;
  /** Its input has left, and may have been opened. */
  readonly summed: boolean;
  /** The newest survivor set with this silo, as far as the log holds one, and its attempt. */
  readonly survivors: readonly SiloId[];
  readonly attempt: number;
}

/** A sum that was opened without noise, with this silo's input in it or without. */
export interface LastSum {
  readonly jobId: JobId;
  readonly round: number;
  readonly silos: readonly SiloId[];
  /** This silo's version of its data set then, under its key; empty when it had no input. */
  readonly dataSetVersion: Uint8Array;
}

/** A sum in which an input of ours was opened. */
export interface Opening {
  readonly jobId: JobId;
  readonly round: number;
  /** The round's rid, and the attempt in which it was signed or released: enough Aborts of it show that it will never be opened. */
  readonly rid: Hash;
  readonly attempt: number;
  /** Size of that round's cohort. */
  readonly n: number;
  /** Its masking graph where it was not the complete one. */
  readonly graph: GraphParameters | undefined;
  /** The other members of that sum, and us. */
  readonly silos: readonly SiloId[];
}

export type Decision = 'undecided' | 'approved' | 'refused';

export interface JobState {
  readonly manifest: Manifest;
  readonly decision: Decision;
  /** Our signed Approval, resent until it is known to have arrived. */
  readonly approval: Envelope | undefined;
  /** False until the agent has checked what the job needs. */
  readonly prepared: boolean;
  /** What its rounds are charged to; empty until it is prepared. */
  readonly dataSet: string;
  /** Why preparing failed: a code and a sentence. */
  readonly unfit: string | undefined;
  /** H("model", state) that we computed ourselves. */
  readonly modelHash: Hash;
  readonly previousResultHash: Hash;
  /** Last round with a terminal entry; 0 before the first. */
  readonly closedRound: number;
  /** Of the roster under which the last closed round was planned, or the manifest made: epochs never go back. */
  readonly epoch: bigint;
  readonly lastAckHash: Uint8Array;
  /** The plan accepted for each round that is not closed, and our part in it. */
  readonly open: OpenRound | undefined;
  /** Ack by round. */
  readonly acks: ReadonlyMap<number, Envelope>;
  /** Model after each round that was verified here. */
  readonly models: ReadonlyMap<number, Hash>;
  /** Hashes of the rollbacks that were voted for, in order. */
  readonly rollbacks: readonly Hash[];
  /** Abort of every attempt of an abandoned round, by round: resent with its Ack. */
  readonly closingAborts: ReadonlyMap<number, Envelope>;
  /** Whom t silos have voted to exclude, and who is proven to have cheated, as far as this silo was shown votes and proofs. */
  readonly excluded?: ReadonlySet<SiloId> | undefined;
  /** Sums of abandoned rounds that this silo signed and forgot: their inputs had the keys that this model gives. */
  readonly forgottenSums?: readonly Opening[] | undefined;
  /** Our first Dispute of the round after the last closed one; one for each round, however often its result is shown. */
  readonly dispute?: Envelope | undefined;
  /** The last round that was verified here has ended the job by its own rule. */
  readonly stopped: boolean;
  readonly ended: boolean;
}

export interface OpenRound {
  readonly plan: Plan;
  readonly index: number;
  readonly contribution: Contribution;
  /** Secret of this round for rounding, shuffling and noise; the first attempt's counts for all. */
  readonly roundSecret: SecretBytes<'round'>;
  readonly attempt: AttemptState;
  /** Highest attempt that we have signed an Abort for; no signing or releasing at or below it, for ever. */
  readonly abortedThrough: number;
  readonly aborts: ReadonlyMap<number, Envelope>;
  /** The attempt in which we released, if any. */
  readonly releasedIn: ReleasedAttempt | undefined;
}

export interface ReleasedAttempt {
  readonly attempt: number;
  readonly unmask: Envelope;
  readonly consistency: readonly Envelope[];
  readonly request: Envelope;
}

/** The input of a round: drawn once, stored, used in all its attempts. */
export type Contribution =
  | { readonly kind: 'computing' }
  | {
      readonly kind: 'ready';
      readonly inputHash: Uint8Array;
      readonly inputKeys: readonly Uint8Array[];
      readonly dataSet: string;
      /** What the log calls the version of the data set; empty in records of a version that did not say. */
      readonly dataSetVersion: Uint8Array;
      /** Rounds charged to the data set when this one was, itself counted; undefined while it is not. */
      readonly charged: number | undefined;
    }
  | { readonly kind: 'failed'; readonly code: string };

export type SiloPhase = 'advertise' | 'share' | 'mask' | 'confirm' | 'unmask';

/** One attempt. Fields fill up as it goes on; `phase` names the next thing this silo waits for or does. */
export interface AttemptState {
  readonly context: RoundContext;
  readonly phase: SiloPhase;
  readonly rho: SecretBytes<'rho'>;
  readonly advertised: Envelope;
  readonly keys?: KeySet;
  readonly dealt?: {
    readonly envelope: Envelope;
    readonly header: ShareHeader;
    readonly ciphertexts: readonly Uint8Array[];
  };
  /** Headers that were delivered and checked, and the shares they gave us. */
  readonly checked?: ReadonlyMap<number, Dealer>;
  readonly held?: ReadonlyMap<number, HeldShares>;
  /** What this silo said of the shares it was dealt: complaints first, then that all is checked. Resent as they are. */
  readonly verdicts?: readonly Envelope[];
  /** Answers to complaints about what this silo dealt, by complainant. */
  readonly answers?: ReadonlyMap<number, Envelope>;
  readonly dealers?: DealerSet;
  readonly declined?: Envelope;
  readonly masked?: { readonly envelope: Envelope; readonly root: Uint8Array };
  readonly receipt?: Envelope;
  readonly survivors?: SurvivorSet;
  readonly signed?: Envelope;
  /** Sent because a set of survivors left out this silo, which holds a receipt; one for each attempt. */
  readonly protest?: Envelope;
}

/** c as this silo counts it: never less than its own policy says. */
export function effectiveMalicious(self: SiloSelf, manifest: Manifest): number {
  return Math.max(self.policy.maxMalicious, manifest.maxMalicious);
}

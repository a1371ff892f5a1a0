// The state of the coordinator: its jobs, and for each the one round that is open. It relays, counts and signs; it never holds a secret
// before t silos have released it.

import type { Hash, JobId, SiloId, UnixMs } from '../../base/index.js';
import type { SigningKey } from '../../crypto/index.js';
import type { BlobRef, Envelope, Metric, Outcome } from '../../wire/index.js';
import type { CompactRange, Note, NoteSignature } from '../../transcript/index.js';
import type { Advertised, KeySet } from '../check/advertised.js';
import type { LogHead } from '../check/checkpoint.js';
import type { Culprit } from '../check/complaint.js';
import type { RoundContext } from '../check/context.js';
import type { Dealer, DealerSet } from '../check/dealers.js';
import type { Fingerprints, MaskedInput, SurvivorSet } from '../check/survivors.js';
import type { OpenedSecrets, Release } from '../check/unmask.js';
import type { Exhibits } from '../exhibits.js';
import type { Manifest } from '../manifest.js';
import type { OpenedOrder } from '../order.js';
import type { Plan } from '../plan.js';
import type { Roster } from '../roster.js';

/** A roster that somebody proposes as the next one. */
export interface ProposedRoster {
  readonly roster: Roster;
  readonly signatures: ReadonlyMap<SiloId, Envelope>;
  /** Event that brought the last signature. */
  readonly by: number;
}

export interface CoordinatorSelf {
  readonly signingKey: SigningKey;
  /** Signs checkpoints; must be there when the roster names a log. */
  readonly logKey?: SigningKey | undefined;
  /** The one in force: at first that of its configuration, and then whatever succeeded it. */
  readonly roster: Roster;
}

export interface CoordinatorState {
  readonly self: CoordinatorSelf;
  readonly jobs: ReadonlyMap<JobId, CoordinatorJob>;
  /** Every order that was taken; number k stands at k - 1. */
  readonly orders: readonly TakenOrder[];
  /** Kept out by an operator: not heard, and absent in every round. */
  readonly denied: ReadonlyMap<SiloId, TakenOrder>;
  /** The newest erasure that each silo has told of, and when it was logged. */
  readonly erasures: ReadonlyMap<SiloId, { readonly at: UnixMs; readonly envelope: Envelope }>;
  /** Number of the last accepted event; what directives are numbered by. */
  readonly events: number;
  /** The transparency log as it grows with the events; undefined while the consortium keeps none. */
  readonly log: LogState | undefined;
  /** Rosters that succeeded the one it began with, each with the event that put it in force. */
  readonly successions: readonly { readonly roster: Roster; readonly by: number }[];
  /** Successors of the roster in force that have been proposed, by their hash. */
  readonly proposals: ReadonlyMap<string, ProposedRoster>;
}

export interface LogState {
  readonly range: CompactRange;
  /** The newest few, ascending; silos cosign the last and may still be cosigning the others. */
  readonly checkpoints: readonly MadeCheckpoint[];
  readonly hellos: ReadonlyMap<SiloId, LoggedHello>;
  /** Since when entries wait for a checkpoint. */
  readonly wantedSince?: UnixMs | undefined;
}

/** The newest Hello of a silo, its index in the log, and when the last ones of an hour came. */
export interface LoggedHello {
  readonly envelope: Envelope;
  readonly index: number;
  /** Event that brought it. */
  readonly by: number;
  /** How many entries the silo had read before, by its journal. */
  readonly read: number;
  readonly at: UnixMs;
  readonly recent: readonly UnixMs[];
}

export interface MadeCheckpoint extends LogHead {
  /** As the log signed it, without cosignatures. */
  readonly note: Note;
  readonly madeBy: number;
  readonly madeAt: UnixMs;
  readonly cosignatures: ReadonlyMap<SiloId, { readonly envelope: Envelope; readonly line: NoteSignature }>;
  /** Event that last gave a job its quorum; the checkpoint is shown again from then on. */
  readonly quorumBy?: number;
}

export interface TakenOrder {
  readonly at: UnixMs;
  readonly order: OpenedOrder;
}

export type JobStatus = 'offered' | 'running' | 'completed' | 'paused' | 'ended';

export interface CoordinatorJob {
  readonly manifest: Manifest;
  readonly createdAt: UnixMs;
  readonly offeredBy: number;
  readonly status: JobStatus;
  readonly reason: string;
  readonly stoppedBy: number;
  /** The order that ended it, for its silos. */
  readonly endOrder?: Envelope;
  readonly approvals: ReadonlyMap<SiloId, Envelope>;
  /** Event that brought each approval: only from then on is the silo told of the job's rounds. */
  readonly approvedBy: ReadonlyMap<SiloId, number>;
  readonly refusals: ReadonlyMap<SiloId, Envelope>;
  /** Proven to have broken the protocol in this job. */
  readonly barred: ReadonlyMap<SiloId, Barred>;
  readonly modelHash: Hash;
  /** Name of the stored model state; empty until a round has changed the first one. */
  readonly modelState: Uint8Array;
  readonly previousResultHash: Hash;
  readonly closed: readonly ClosedRound[];
  readonly open: CoordinatorRound | undefined;
  readonly rejectedInRow: number;
  /** By the silo that is to be heard no more, then by voter. */
  readonly excludeVotes: ReadonlyMap<SiloId, ReadonlyMap<SiloId, Envelope>>;
  /** By what is to be decided, then by voter. */
  readonly rollbackVotes: ReadonlyMap<string, ReadonlyMap<SiloId, Envelope>>;
  readonly rollbacks: readonly DecidedRollback[];
  /** Closed rounds whose disputes an operator has dealt with, by resuming the job after them. */
  readonly settledRounds: number;
}

/** Enough silos have voted that the job goes on from an earlier model. */
export interface DecidedRollback {
  /** Event that brought the last vote that was needed. */
  readonly by: number;
  readonly afterRound: number;
  readonly votes: readonly Envelope[];
}

export interface Barred {
  /** What was proven. */
  readonly code: string;
  readonly round: number;
  /** Signed messages that prove it, with what stood under hashes that they name. */
  readonly evidence: readonly Envelope[];
  readonly exhibits?: Exhibits | undefined;
}

export interface StoredComplaint {
  readonly dealer: number;
  readonly complainant: number;
  readonly envelope: Envelope;
  /** Event that brought it. */
  readonly by: number;
  readonly answer?: Envelope;
  readonly culprit?: Culprit;
}

/** A round with its terminal entry. */
export interface ClosedRound {
  readonly plan: Plan;
  readonly attempt: number;
  readonly closedBy: number;
  /** Index of its terminal entry in the log; undefined while the consortium keeps none. */
  readonly loggedAt?: number | undefined;
  readonly startedAt: UnixMs;
  readonly endedAt: UnixMs;
  /** U1 and U2 of its last attempt; empty where it did not come so far. */
  readonly advertisers: readonly SiloId[];
  readonly dealers: readonly SiloId[];
  readonly survivors: readonly SiloId[];
  /** Of an abandoned round: the survivors of each attempt that came so far. Silos may have signed for them, whoever was heard. */
  readonly signed: readonly (readonly SiloId[])[];
  readonly result: PublishedResult | undefined;
  readonly abandon: Envelope | undefined;
  readonly terminalHash: Hash;
  readonly acks: ReadonlyMap<SiloId, Envelope>;
  /** Index of each Ack in the log; undefined while the consortium keeps none. */
  readonly ackEntries?: ReadonlyMap<SiloId, number>;
  /** Of an abandoned round: whose Abort says that it will never release in it. */
  readonly aborts: ReadonlyMap<SiloId, Envelope>;
  readonly disputes: ReadonlyMap<SiloId, Envelope>;
  readonly metrics: readonly Metric[];
  readonly timeline: readonly PhaseBegin[];
  readonly notes: readonly string[];
  /** What of it was erased on schedule, as the log calls it. */
  readonly erased?: ReadonlySet<string>;
}

export interface PublishedResult {
  readonly envelope: Envelope;
  readonly outcome: Outcome;
  readonly newModelHash: Hash;
  /** The job's own rule says that this was its last round. */
  readonly endsJob: boolean;
  readonly transcript: BlobRef;
  readonly sum: BlobRef;
  readonly opened: BlobRef;
  /** Members whose inputs must be served, by cohort index. */
  readonly missing: readonly number[];
}

export type CoordinatorPhase = 'advertise' | 'share' | 'check' | 'mask' | 'confirm' | 'unmask' | 'publish' | 'aborted';

export interface PhaseBegin {
  readonly attempt: number;
  readonly phase: CoordinatorPhase;
  readonly at: UnixMs;
}

export interface CoordinatorRound {
  readonly plan: Plan;
  readonly startedAt: UnixMs;
  /** Survivors of its earlier attempts, of those that came so far. */
  readonly signed: readonly (readonly SiloId[])[];
  readonly attempt: CoordinatorAttempt;
  /** Signed Aborts by attempt, then by cohort index. */
  readonly aborts: ReadonlyMap<number, ReadonlyMap<number, Envelope>>;
  readonly timeline: readonly PhaseBegin[];
  readonly notes: readonly string[];
  readonly protests: ReadonlyMap<number, Envelope>;
}

export interface CoordinatorAttempt {
  readonly context: RoundContext;
  readonly phase: CoordinatorPhase;
  readonly since: UnixMs;
  /** Event that began the attempt. */
  readonly startedBy: number;
  /** The last one that added to the aborts which its start directive carries. */
  readonly abortsBy?: number;
  readonly advertised: ReadonlyMap<number, Advertised>;
  readonly keys?: KeySet;
  readonly keysBy?: number;
  readonly offeredShares: ReadonlyMap<number, Dealer>;
  /** By dealer: ciphertexts in the order of its header's entries. */
  readonly ciphertexts: ReadonlyMap<number, readonly Uint8Array[]>;
  readonly headerBundle?: BlobRef;
  /** Event that closed the dealing: headers and ciphertexts go out. */
  readonly sharesBy?: number;
  /** Who has checked what it was dealt. */
  readonly checkedBy: ReadonlyMap<number, Envelope>;
  /** By `dealer/complainant`. */
  readonly complaints: ReadonlyMap<string, StoredComplaint>;
  readonly dealers?: DealerSet;
  readonly dealersBy?: number;
  readonly masked: ReadonlyMap<number, MaskedInput>;
  readonly receipts: ReadonlyMap<number, Envelope>;
  readonly declined: ReadonlyMap<number, Envelope>;
  /** U3 is fixed and its sum is being computed: no receipt is given any more. */
  readonly closing: boolean;
  readonly sum?: BlobRef;
  readonly survivors?: SurvivorSet;
  readonly survivorsBy?: number;
  readonly consistency: ReadonlyMap<number, Fingerprints>;
  /** When the threshold of consistency messages was reached. */
  readonly quorumAt?: UnixMs;
  /** The fingerprints that count; fixed before shares are asked for. */
  readonly quorum?: ReadonlyMap<number, Fingerprints>;
  readonly quorumBy?: number;
  readonly releases: ReadonlyMap<number, Release>;
  readonly secrets?: OpenedSecrets;
  readonly query?: Envelope;
  readonly queriedBy?: number;
  readonly answers: ReadonlyMap<number, Envelope>;
  /** A release was shown after the attempt had been given up: it is finished once more. */
  readonly finishing: boolean;
}

// What the admin handlers need of the coordinator's service: its state to read, its door for new jobs, and its stored objects.

import type { Hash, SiloId, UnixMs } from '../../src/base/index.js';
import type { ClosedRound, CoordinatorJob, CoordinatorState, NotedKind } from '../../src/protocol/index.js';
import type { ActRecord, BlobRef, Envelope } from '../../src/wire/index.js';

export interface SiloSeen {
  /** Now, while its stream is open. */
  readonly at: UnixMs;
  readonly agentVersion: string;
  readonly certificateNotAfter: UnixMs;
  readonly certificateSerial: string;
}

export interface ServerFacts {
  readonly version: string;
  readonly startedAt: UnixMs;
  certificateNotAfter(): UnixMs;
}

export interface ActJournal {
  /** Records there are. */
  count(): number;
  /** Resolves when it is durable; false when the journal is full, and then it is not written. */
  append(record: ActRecord): Promise<boolean>;
  /** At most `most` records from number `first` on, counted from 1. */
  read(first: number, most: number): Promise<ActRecord[]>;
}

/** Classes of what is kept of closed rounds. */
export type KeptClass = 'missingInputs' | 'vectors' | 'models';

/** What the transparency log is told of an act. */
export interface NotedAct {
  readonly entry: NotedKind;
  /** Whose act it is, e.g. "auditor/ada". */
  readonly subject: string;
  /** Empty for what belongs to no job. */
  readonly jobId: string;
  /** Left out for what belongs to no round. */
  readonly round?: number;
  readonly action: string;
  /** SHA-256 of what it was done to. */
  readonly objects: readonly Uint8Array[];
}

/** The transparency log on disk. */
export interface StoredLog {
  /** Durable entries. */
  readonly size: number;
  root(size: number): Hash;
  /** At most `count` entries from `first` on. */
  entries(first: number, count: number): AsyncIterable<{ readonly bytes: Uint8Array }>;
  /** Throws a CodedError of category `missing` where the log has no such entry or size. */
  inclusion(index: number, size: number): readonly Uint8Array[];
  consistency(from: number, to: number): readonly Uint8Array[];
}

export interface AdminSource {
  /** As it is now; never changed in place. */
  state(): CoordinatorState;
  /** `listener` runs after every accepted event, and when a silo connects or leaves. Returns the way to stop, which may be called twice. */
  onChange(listener: () => void): () => void;
  /** Whether the silo's watch is open. */
  connected(silo: SiloId): boolean;
  /** When the silo was last there, and with what; undefined when it was never seen. */
  seen(silo: SiloId): SiloSeen | undefined;
  readonly server: ServerFacts;
  /** By the coordinator's clock. */
  now(): UnixMs;
  /** Whether somebody in this role is given objects of this class (`retention` of the configuration). */
  mayRead(role: 'operator' | 'auditor', what: KeptClass): boolean;
  readonly acts: ActJournal;
  /** Resolves when the act is durable in the transparency log; at once where the consortium keeps none. */
  note(act: NotedAct): Promise<void>;
  readonly log: StoredLog;
  /** Inputs of the survivors of a round without a fingerprint, in the order of `result.missing`. */
  missingInputs(round: ClosedRound): readonly BlobRef[];
  /** Resolves when the order is durable and done. Throws CodedError refusals. */
  giveOrder(order: Envelope): Promise<void>;
  /** The state of a model by its hash, in pieces of any size. Throws a CodedError of category `missing` when it is not there. */
  readModelState(job: CoordinatorJob, modelHash: Hash): AsyncIterable<Uint8Array>;
  /** Resolves when the job is durable. Throws CodedError refusals. */
  createJob(manifest: Envelope): Promise<void>;
  /** Resolves when the object is durable. Refuses more than LIMITS.modelBytes. */
  putBlob(chunks: AsyncIterable<Uint8Array>): Promise<BlobRef>;
  /** Any stored object, in pieces of any size. Throws a CodedError of category `missing` when it is not there. */
  readBlob(blob: BlobRef): AsyncIterable<Uint8Array>;
  /** The forward model with the job's parameters as they are now, as an ONNX file in pieces of any size. */
  exportModel(job: CoordinatorJob): AsyncIterable<Uint8Array>;
  /** The state of that model: its parameters and the memory of its update rule. */
  exportState(job: CoordinatorJob): AsyncIterable<Uint8Array>;
}

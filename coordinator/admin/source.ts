// What the admin handlers need of the coordinator's service: its state to read, its door for new jobs, and its stored objects.

import type { SiloId } from '../../src/base/index.js';
import type { CoordinatorJob, CoordinatorState } from '../../src/protocol/index.js';
import type { BlobRef, Envelope } from '../../src/wire/index.js';

export interface AdminSource {
  /** As it is now; never changed in place. */
  state(): CoordinatorState;
  /** `listener` runs after every accepted event, and when a silo connects or leaves. Returns the way to stop, which may be called twice. */
  onChange(listener: () => void): () => void;
  /** Whether the silo's watch is open. */
  connected(silo: SiloId): boolean;
  /** Resolves when the job is durable. Throws CodedError refusals. */
  createJob(manifest: Envelope): Promise<void>;
  /** Resolves when the object is durable. Refuses more than LIMITS.modelBytes. */
  putBlob(chunks: AsyncIterable<Uint8Array>): Promise<BlobRef>;
  /** Any stored object, in pieces of any size. Throws a CodedError of category `missing` when it is not there. */
  readBlob(blob: BlobRef): AsyncIterable<Uint8Array>;
  /** The forward model with the job's parameters as they are now, as an ONNX file in pieces of any size. */
  exportModel(job: CoordinatorJob): AsyncIterable<Uint8Array>;
}

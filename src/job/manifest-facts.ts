// What a manifest needs beside a job file: hashes and counts that only a program with the consortium's files at hand knows.

import type { BlobRef } from '../wire/index.js';

/** What a job file cannot know. */
export interface ManifestFacts {
  /** 32 bytes. */
  readonly rosterHash: Uint8Array;
  /** 32 bytes: hash of the state that round 1 starts from, of the empty state for statistics. */
  readonly initialModelHash: Uint8Array;
  /** Undefined for statistics. */
  readonly model?:
    | {
        readonly blob: BlobRef;
        /** Length of the vector. */
        readonly parameterCount: number;
        /** How many of its values are running statistics. None unless given. */
        readonly statisticCount?: number;
      }
    | undefined;
  /** 32 bytes, hash of the only result of the job that `standardiseBy` names; undefined where nothing is standardised. */
  readonly statisticsResultHash?: Uint8Array | undefined;
}

// What a manifest needs beside a job file: hashes and counts that only a program with the consortium's files at hand knows.

import type { BlobRef } from '../wire/index.js';

/** What a job file cannot know. */
export interface ManifestFacts {
  /** 32 bytes. */
  readonly rosterHash: Uint8Array;
  /** 32 bytes: hash of the state that round 1 starts from, of the empty state for statistics. */
  readonly initialModelHash: Uint8Array;
  /** The model and its number of trainable parameters; undefined for statistics. */
  readonly model?: { readonly blob: BlobRef; readonly parameterCount: number } | undefined;
  /** 32 bytes, hash of the only result of the job that `standardiseBy` names; undefined where nothing is standardised. */
  readonly statisticsResultHash?: Uint8Array | undefined;
}

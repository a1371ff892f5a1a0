// The coordinator's configuration.

import { z } from 'zod';
import { address, dialled, log, name, pathIn, strict, THREADS_MAX, tls, whole } from './fields.js';
import { readConfig } from './read.js';

const READERS = ['operator', 'auditor'] as const;
const DAYS_MAX = 36_500;

/** How long something is kept after the end of its round, and who may read it through the admin API meanwhile. */
const kept = (days: number | 'always') =>
  strict({
    days: z.union([whole(0, DAYS_MAX), z.literal('always')]).default(days),
    readers: z.array(z.enum(READERS)).default([...READERS]),
  }).prefault({});

const retention = strict({
  /** Masked inputs that were served because a fingerprint had not come. All others go as soon as enough silos have acknowledged. */
  missingInputs: kept(30),
  /** Y, X and transcript of a round: without them nobody can verify the round again from this coordinator. */
  vectors: kept('always'),
  /** Models after earlier rounds. The last one of a job is always kept. */
  models: kept('always'),
}).prefault({});

const coordinator = (folder: string) =>
  strict({
    consortium: name,
    /** Journal, spooled uploads and blobs. One folder for one coordinator. */
    state: pathIn(folder),
    listen: address(0),
    tls: tls(folder),
    /** Where its certificate is renewed; without it somebody has to replace the bundle. */
    authority: dialled.optional(),
    keys: strict({
      signing: pathIn(folder),
      /** Signs checkpoints of the transparency log; needed when the roster names a log. */
      log: pathIn(folder).optional(),
      /** Encrypts the journal, which holds released shares until they are published. */
      storage: pathIn(folder),
    }),
    roster: strict({ file: pathIn(folder) }),
    /** Serial numbers of revoked certificates, one a line; read again when it changes. */
    revoked: pathIn(folder).optional(),
    /** What is kept of closed rounds, how long, and who may read it. */
    retention,
    /** Threads for masks, fingerprints and checks, beside the main one; all cores but one unless given, 0 for none. */
    threads: whole(0, THREADS_MAX).optional(),
    /** Prometheus and health over plain HTTP; nowhere unless given. */
    metrics: strict({ listen: address(0) }).optional(),
    log: log(folder),
  });

export type CoordinatorConfig = z.output<ReturnType<typeof coordinator>>;

export type CoordinatorRetention = CoordinatorConfig['retention'];

/** Throws ConfigError with every bad field. */
export async function readCoordinatorConfig(path: string): Promise<CoordinatorConfig> {
  return readConfig<CoordinatorConfig>(path, coordinator);
}

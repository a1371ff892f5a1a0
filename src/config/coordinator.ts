// The coordinator's configuration.

import { z } from 'zod';
import { address, connection, dialled, log, name, pathIn, strict, THREADS_MAX, tls, traces, whole } from './fields.js';
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

/** The URL itself is taken apart where it is used (src/storage/postgres/settings.ts). */
const storage = z.string().refine((text) => text === 'embedded' || /^postgres(ql)?:\/\//.test(text), {
  error: 'expected embedded, or postgres://user@host/database without a password',
});

const objects = (folder: string) =>
  strict({
    /** A folder that every coordinator has mounted. */
    folder: pathIn(folder).optional(),
    s3: strict({
      endpoint: z
        .string()
        .regex(/^https?:\/\//, { error: 'expected https://…' })
        .optional(),
      region: z.string().min(1),
      bucket: z.string().min(1),
      prefix: z.string().default(''),
      /** Access key on the first line, its secret on the second; what the environment says unless given. */
      credentials: pathIn(folder).optional(),
      pathStyle: z.boolean().default(false),
    }).optional(),
  }).refine(({ folder: shared, s3 }) => (shared === undefined) !== (s3 === undefined), {
    error: 'expected either folder or s3',
  });

const database = (folder: string) =>
  strict({
    /** A file with the password on its first line. */
    password: pathIn(folder).optional(),
    /** Instead: a password file as libpq reads it. */
    passfile: pathIn(folder).optional(),
    /** Authorities for the server's certificate. */
    ca: pathIn(folder).optional(),
    certificate: pathIn(folder).optional(),
    key: pathIn(folder).optional(),
    schema: z
      .string()
      .regex(/^[a-z][a-z0-9_]{0,30}$/, { error: 'expected lower-case letters, digits and underscores, at most 31' })
      .default('veilsum'),
    /** Where uploads and objects lie; in the database unless given. */
    objects: objects(folder).optional(),
    /** How long a leader may be silent before another takes over. */
    leaseSeconds: whole(1, 300).default(6),
    /** How long a database that is away is waited for before a coordinator ends. */
    retrySeconds: whole(1, 3600).default(60),
  });

const coordinator = (folder: string) =>
  strict({
    consortium: name,
    /** Journal, spooled uploads and blobs; with a database only what can be made again. One folder for one coordinator. */
    state: pathIn(folder),
    /** Where the state is kept: in `state`, or in PostgreSQL, for several coordinators behind one address. */
    storage: storage.default('embedded'),
    database: database(folder).optional(),
    listen: address(0),
    /** Signs of life on each connection. */
    connection: connection(),
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
    traces: traces(),
    log: log(folder),
  });

export type CoordinatorConfig = z.output<ReturnType<typeof coordinator>>;

export type CoordinatorRetention = CoordinatorConfig['retention'];

/** Throws ConfigError with every bad field. */
export async function readCoordinatorConfig(path: string): Promise<CoordinatorConfig> {
  return readConfig<CoordinatorConfig>(path, coordinator);
}

// The tables of the shared store. Everything that may be written by the leader alone is written in a transaction that has read the lease's
// token; what the others may write is named here.

import { StorageError } from '../errors.js';
import type { Database, Run } from './database.js';

/** Changes with every change to the tables; a later version than this is refused. */
const VERSION = 2;

/** Announced before their bytes are put, taken away by the transaction that names them (pieces.ts). */
const UNDER_WAY = `CREATE TABLE piece_under_way (key text PRIMARY KEY, since timestamptz NOT NULL, given_up boolean NOT NULL DEFAULT false)`;

/** From each earlier version to the next. A coordinator of the earlier one that still runs goes on beside it. */
const CHANGES: ReadonlyMap<number, readonly string[]> = new Map([[1, [UNDER_WAY]]]);

const TABLES = [
  // Journals, their heads and a small table, by the same bytes as the keys in LMDB (place.ts), sealed in their place.
  `CREATE TABLE entry (place bytea PRIMARY KEY, value bytea NOT NULL)`,
  // Who leads. One row.
  `CREATE TABLE lease (
     one boolean PRIMARY KEY DEFAULT true CHECK (one),
     holder text NOT NULL, token bigint NOT NULL, expires timestamptz NOT NULL)`,
  `INSERT INTO lease (holder, token, expires) VALUES ('', 0, '-infinity')`,
  // Every coordinator writes its own row: that it lives, and which silos have a stream to it.
  `CREATE TABLE coordinator (id text PRIMARY KEY, heartbeat timestamptz NOT NULL, silos text[] NOT NULL)`,
  // What others ask of the leader, sealed; the leader answers.
  `CREATE TABLE request (
     id uuid PRIMARY KEY, number bigserial, asked timestamptz NOT NULL, body bytea NOT NULL, answer bytea)`,
  `CREATE INDEX ON request (number) WHERE answer IS NULL`,
  // Partial sums, each by who made it, sealed.
  `CREATE TABLE partial (rid bytea, attempt int, coordinator text, body bytea NOT NULL,
     PRIMARY KEY (rid, attempt, coordinator))`,
  // Uploads grow at any coordinator, part by part; only the leader removes one.
  `CREATE TABLE upload (name text PRIMARY KEY, generation uuid NOT NULL UNIQUE, length bigint NOT NULL)`,
  `CREATE TABLE upload_part (generation uuid REFERENCES upload (generation) ON DELETE CASCADE, at bigint, length int NOT NULL,
     piece text NOT NULL, PRIMARY KEY (generation, at))`,
  // Objects by their hash, from any coordinator.
  `CREATE TABLE object (space text, name text, generation uuid NOT NULL, size bigint NOT NULL, PRIMARY KEY (space, name))`,
  // Bytes of uploads and objects, unless they lie in files or an object store; and pieces that nothing names any more, until they are gone.
  `CREATE TABLE piece (key text PRIMARY KEY, bytes bytea NOT NULL)`,
  `ALTER TABLE piece ALTER COLUMN bytes SET STORAGE EXTERNAL`,
  `CREATE TABLE dropped_piece (key text PRIMARY KEY)`,
  UNDER_WAY,
];

/** Makes the tables where there are none, or changes an earlier version's. Safe when several do it at once. Throws storage/unknown-format for a later one's. */
export async function prepareSchema(database: Database): Promise<void> {
  const { schema } = database;
  await database.transaction(async (run) => {
    await run(`SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, [`veilsum ${schema}`]);
    const known = await versionIn(run, schema);
    if (known === VERSION) return;
    if (known !== undefined && known < VERSION) {
      for (let version = known; version < VERSION; version++)
        for (const statement of CHANGES.get(version) ?? []) await run(statement);
      await run(`UPDATE ${schema}.format SET version = ${String(VERSION)}`);
      return;
    }
    if (known !== undefined)
      throw new StorageError(
        'storage/unknown-format',
        `the schema ${schema} has version ${String(known)}, not ${String(VERSION)}`,
      );
    await run(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
    await run(`CREATE TABLE ${schema}.format (version int NOT NULL)`);
    await run(`INSERT INTO ${schema}.format VALUES (${String(VERSION)})`);
    for (const statement of TABLES) await run(statement);
  });
}

/** Undefined where the schema does not exist or holds nothing of ours. */
export async function versionIn(run: Run, schema: string): Promise<number | undefined> {
  const { rows } = await run<{ found: string | null }>(`SELECT to_regclass($1)::text AS found`, [`${schema}.format`]);
  if ((rows[0]?.found ?? undefined) === undefined) return undefined;
  return (await run<{ version: number }>(`SELECT version FROM ${schema}.format`)).rows[0]?.version;
}

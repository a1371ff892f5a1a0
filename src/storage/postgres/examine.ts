// What doctor wants to know of a database: whether it can be reached, what it promises, and who leads. Changes nothing.

import { randomBytes } from 'node:crypto';
import { StorageError } from '../errors.js';
import type { PieceStore } from '../kinds.js';
import { Database } from './database.js';
import { newKey } from './pieces.js';
import { versionIn } from './schema.js';
import { openPieces, type SharedSettings } from './shared.js';

export interface DatabaseFacts {
  /** Of the server, as it says it. */
  readonly server: string;
  readonly tls: boolean;
  /** What the server's clock said, in Unix milliseconds. */
  readonly clock: number;
  /** A standby, which takes no writes. */
  readonly standby: boolean;
  /** Settings of the server without which a commit may be lost, that are off. */
  readonly unsafe: readonly string[];
  /** False where no coordinator has made its tables yet. */
  readonly founded: boolean;
  /** Milliseconds that the lease still runs; undefined where nobody leads. */
  readonly leaseLeftMs: number | undefined;
  readonly coordinators: number;
}

/** Throws StorageError `storage/…`. */
export async function examineDatabase({ database: settings }: SharedSettings): Promise<DatabaseFacts> {
  const database = new Database({ ...settings, retryMs: 0 });
  try {
    const { rows } = await database.query<{
      server: string;
      tls: boolean | null;
      clock: number;
      standby: boolean;
      fsync: string;
      pages: string;
      commit: string;
    }>(
      `SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS clock, current_setting('server_version') AS server, pg_is_in_recovery() AS standby,
         (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()) AS tls, current_setting('fsync') AS fsync,
         current_setting('full_page_writes') AS pages, current_setting('synchronous_commit') AS commit`,
    );
    const [row] = rows;
    if (row === undefined) throw new StorageError('storage/database-refused', 'the database says nothing of itself');
    const founded = (await versionIn(database.query, database.schema)) !== undefined;
    return {
      server: row.server,
      tls: row.tls === true,
      clock: row.clock,
      standby: row.standby,
      unsafe: [
        ...(row.fsync === 'on' ? [] : ['fsync']),
        ...(row.pages === 'on' ? [] : ['full_page_writes']),
        ...(row.commit === 'off' ? ['synchronous_commit'] : []),
      ],
      founded,
      ...(founded ? await whoLeads(database) : { leaseLeftMs: undefined, coordinators: 0 }),
    };
  } finally {
    await database.close();
  }
}

async function whoLeads(database: Database): Promise<Pick<DatabaseFacts, 'leaseLeftMs' | 'coordinators'>> {
  const lease = await database.query<{ left: number }>(
    `SELECT (extract(epoch FROM expires - clock_timestamp()) * 1000)::float8 AS left FROM lease WHERE expires > clock_timestamp()`,
  );
  const living = await database.query<{ count: string }>(
    `SELECT count(*) FROM coordinator WHERE heartbeat > clock_timestamp() - interval '1 minute'`,
  );
  return { leaseLeftMs: lease.rows[0]?.left, coordinators: Number(living.rows[0]?.count ?? 0) };
}

/** Puts a piece where pieces go, reads a part of it, and deletes it. Throws StorageError `storage/…`. */
export async function tryPieces({ database: settings, pieces }: SharedSettings): Promise<void> {
  const database = new Database({ ...settings, retryMs: 0 });
  let store: PieceStore | undefined;
  try {
    if (pieces.kind === 'database') return;
    store = await openPieces(database, pieces);
    const key = newKey();
    const bytes = randomBytes(64);
    await store.put(key, bytes);
    const part = await store.get(key, 16, 32);
    await store.delete(key);
    if (!bytes.subarray(16, 48).equals(part))
      throw new StorageError('storage/objects-refused', 'a piece came back as other bytes than were put');
  } finally {
    await store?.close();
    await database.close();
  }
}

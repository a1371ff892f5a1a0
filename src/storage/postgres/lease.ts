// Who leads. The lease is one row: holder, fencing token, end by the database's clock. Every transaction of the leader first reads the row
// with its own token and keeps it locked to the end; whoever takes over changes the row. So what a former leader has not committed by then it
// never will, however long it slept: fencing does not rest on any clock. The end only says when somebody else may try.

import { randomUUID } from 'node:crypto';
import type { Client } from 'pg';
import { failpoint } from '../../system/index.js';
import { StorageError } from '../errors.js';
import { channelOf } from './bell.js';
import { databaseError, inTransaction, isAway, type Database, type Run } from './database.js';

export interface LeaseView {
  readonly holder: string;
  readonly token: number;
  /** By the database's clock; at most 0 when it has ended. */
  readonly leftMs: number;
}

export class Lease {
  /** This process, for as long as it lives. */
  readonly holder: string;
  readonly ttlMs: number;
  readonly #database: Database;
  #token: number | undefined;
  #client: Client | undefined;
  /** The connection broke: what it had begun may still arrive at the server, and must find another token. */
  #broken = false;
  #failure: Error | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(database: Database, ttlMs: number) {
    this.#database = database;
    this.ttlMs = ttlMs;
    this.holder = randomUUID();
  }

  /** Undefined while another holds it. */
  get token(): number | undefined {
    return this.#token;
  }

  /**
   * Asks the database whether it is still ours; tried once. What was decided before the question rests on the newest state then, and may be
   * told. No clock could say so: of a machine that was put to sleep they all stand still.
   */
  async isOurs(): Promise<boolean> {
    if (this.#token === undefined) return false;
    // Ours under whatever token: only the holder gives itself a new one.
    const { rowCount } = await this.#database.once(`SELECT 1 FROM lease WHERE holder = $1`, [this.holder], this.ttlMs);
    return rowCount === 1;
  }

  async view(): Promise<LeaseView> {
    const { rows } = await this.#database.query<{ holder: string; token: string; left: number }>(
      `SELECT holder, token, CASE WHEN isfinite(expires)
         THEN (extract(epoch FROM expires - clock_timestamp()) * 1000)::float8 ELSE 0 END AS left FROM lease`,
    );
    const [row] = rows;
    return { holder: row?.holder ?? '', token: Number(row?.token ?? 0), leftMs: row?.left ?? 0 };
  }

  /** Takes it when nobody holds it; tried once. True when it is ours. */
  async take(): Promise<boolean> {
    if (this.#token !== undefined) return true;
    failpoint('storage.before-lease');
    const { rows } = await this.#database.once<{ token: string }>(
      `UPDATE lease SET holder = $1, token = token + 1, expires = clock_timestamp() + $2 * interval '1 millisecond'
       WHERE expires < clock_timestamp() OR holder = $1 RETURNING token`,
      [this.holder, this.ttlMs],
    );
    failpoint('storage.after-lease');
    const [row] = rows;
    if (row === undefined) return false;
    this.#token = Number(row.token);
    return true;
  }

  /** For a command that must be alone. Throws storage/lease-held. */
  async demand(): Promise<void> {
    if (await this.#database.patiently(() => this.take())) return;
    const { leftMs } = await this.view();
    throw new StorageError(
      'storage/lease-held',
      `a coordinator leads; unless it renews its lease, that ends in ${String(Math.ceil(Math.max(0, leftMs) / 1000))} s`,
      { category: 'state' },
    );
  }

  /** Moves its end; tried once. Throws storage/lease-lost. */
  async renew(): Promise<void> {
    const { rowCount } = await this.#database.once(
      `UPDATE lease SET expires = clock_timestamp() + $2 * interval '1 millisecond' WHERE holder = $1`,
      [this.holder, this.ttlMs],
      // A connection that swallows everything must leave time for another one.
      this.ttlMs / 3,
    );
    if (rowCount === 0) throw lost();
  }

  /** Lets another take it at once. Nothing of ours is under way any more. */
  async release(): Promise<void> {
    await this.#last;
    if (this.#token !== undefined) {
      this.#token = undefined;
      await this.#database.once(
        `WITH ended AS (UPDATE lease SET expires = '-infinity' WHERE holder = $1 RETURNING 1)
         SELECT pg_notify($2, 'lease') FROM ended`,
        [this.holder, channelOf(this.#database.schema)],
      );
    }
    await this.#client?.end().catch(() => undefined);
    this.#client = undefined;
  }

  /**
   * One transaction that commits only while the lease is ours, after those before it. It is made again when the server was away: it must
   * come to the same the second time. Throws storage/lease-lost; after any failure nothing more is taken and the caller ends the process.
   */
  fenced<T>(what: string, work: (run: Run) => Promise<T>): Promise<T> {
    const turn = this.#last.then(async () => {
      if (this.#failure !== undefined) throw this.#failure;
      try {
        failpoint('storage.before-commit', what);
        const result = await this.#database.patiently(() => this.#attempt(work));
        failpoint('storage.after-commit', what);
        return result;
      } catch (error) {
        this.#failure = error instanceof Error ? error : new Error('a transaction failed');
        throw this.#failure;
      }
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    await this.#last;
  }

  async #attempt<T>(work: (run: Run) => Promise<T>): Promise<T> {
    try {
      const client = (this.#client ??= await this.#database.connect());
      let token = this.#token;
      const result = await inTransaction(client, async (run) => {
        token = this.#broken ? await this.#taken(run) : await this.#checked(run);
        return work(run);
      });
      this.#token = token;
      this.#broken = false;
      return result;
    } catch (cause) {
      const client = this.#client;
      this.#client = undefined;
      void client?.end().catch(() => undefined);
      const error = databaseError(cause);
      if (isAway(error)) this.#broken = true;
      throw error;
    }
  }

  async #checked(run: Run): Promise<number> {
    if (this.#token === undefined) throw lost();
    const { rowCount } = await run(`SELECT 1 FROM lease WHERE token = $1 AND holder = $2 FOR SHARE`, [
      this.#token,
      this.holder,
    ]);
    if (rowCount !== 1) throw lost();
    return this.#token;
  }

  /** A new token for ourselves: the old connection can commit nothing from here on. */
  async #taken(run: Run): Promise<number> {
    const { rows } = await run<{ token: string }>(
      `UPDATE lease SET token = token + 1 WHERE holder = $1 RETURNING token`,
      [this.holder],
    );
    const [row] = rows;
    if (row === undefined || this.#token === undefined) throw lost();
    return Number(row.token);
  }
}

function lost(): StorageError {
  return new StorageError('storage/lease-lost', 'another coordinator has taken the lease', { category: 'unavailable' });
}

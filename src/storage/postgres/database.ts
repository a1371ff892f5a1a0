// Connections to PostgreSQL, and what their errors mean: a server that is away may come back and is waited for; one that says no is for a
// person. Every statement that is made again after its connection broke must come to the same the second time.

import { performance } from 'node:perf_hooks';
import pg, { type Client, type QueryResult, type QueryResultRow } from 'pg';
import { StorageError } from '../errors.js';
import { clientConfig, demandDatabase, type DatabaseSettings } from './settings.js';

/** Milliseconds. */
const CONNECT_MS = 5_000;
const QUERY_MS = 60_000;
/** A process that stands still in the middle of a transaction holds its locks for no longer, whether its machine or the line to it died. */
const STANDSTILL_MS = 5_000;
/** A silent line is asked for signs of life, so that a firewall does not forget it and a dead one is noticed. */
const KEEPALIVE_MS = 10_000;
const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 1_000;
/** Connections of one coordinator, beside the one that writes under the lease and the one that listens. */
const POOL_MAX = 8;

export type Value = string | number | bigint | boolean | Uint8Array | null | readonly (string | number | Uint8Array)[];
export type Row = QueryResultRow;
export type Run = <R extends Row>(text: string, values?: readonly Value[]) => Promise<QueryResult<R>>;

export class Database {
  readonly settings: DatabaseSettings;
  readonly #idle: Client[] = [];
  readonly #waiting: (() => void)[] = [];
  #open = 0;
  #closed = false;
  /** Since when the server has been away; undefined while it answers. */
  #awaySince: number | undefined;
  #backSince = Number.NEGATIVE_INFINITY;

  constructor(settings: DatabaseSettings) {
    demandDatabase(settings);
    this.settings = settings;
  }

  get isAway(): boolean {
    return this.#awaySince !== undefined;
  }

  /** For how long the server has answered, as far as this process knows; since ever where it never was away. */
  get backForMs(): number {
    return this.isAway ? 0 : performance.now() - this.#backSince;
  }

  get schema(): string {
    return this.settings.schema;
  }

  /** A connection of the caller's own, who ends it. Throws storage/database-away or storage/database-refused. */
  async connect(): Promise<Client> {
    const client = new pg.Client({
      ...(await clientConfig(this.settings)),
      application_name: 'veilsum-coordinator',
      connectionTimeoutMillis: CONNECT_MS,
      query_timeout: QUERY_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEPALIVE_MS,
    });
    // What breaks between two statements is seen by the next one.
    client.on('error', () => undefined);
    try {
      await client.connect();
      // A server may be set up to acknowledge what it has not written down; what we acknowledge, we have.
      await client.query(
        `SELECT set_config('search_path', $1, false), set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') IN ('off', 'local') THEN 'on' ELSE current_setting('synchronous_commit') END, false),
           set_config('idle_in_transaction_session_timeout', $2, false)`,
        [this.schema, String(this.settings.standstillMs ?? STANDSTILL_MS)],
      );
      this.#answered();
      return client;
    } catch (cause) {
      void client.end().catch(() => undefined);
      throw this.#noted(databaseError(cause));
    }
  }

  /** One statement, made again while the server is away. */
  query: Run = (text, values) => this.patiently(() => this.once(text, values));

  /** One statement, tried once, for `withinMs` at most. */
  once = <R extends Row>(text: string, values?: readonly Value[], withinMs?: number): Promise<QueryResult<R>> =>
    this.#borrowed((client) => runOn(client, withinMs)<R>(text, values));

  /** A transaction, made again as a whole while the server is away. */
  transaction<T>(work: (run: Run) => Promise<T>): Promise<T> {
    return this.patiently(() => this.#borrowed((client) => inTransaction(client, work)));
  }

  /** Tries again while the server is away, for `retryMs` at most. */
  async patiently<T>(work: () => Promise<T>): Promise<T> {
    const until = performance.now() + this.settings.retryMs;
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
      try {
        return await work();
      } catch (error) {
        if (!isAway(error) || this.#closed || performance.now() + wait > until) throw error;
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#idle.splice(0).map((client) => client.end()));
  }

  async #borrowed<T>(work: (client: Client) => Promise<T>): Promise<T> {
    if (this.#closed) throw new StorageError('storage/closed', 'the database has been closed');
    while (this.#open >= POOL_MAX && this.#idle.length === 0)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    let client = this.#idle.pop();
    try {
      if (client === undefined) {
        this.#open++;
        client = await this.connect();
      }
      const result = await work(client);
      this.#answered();
      if (this.#isClosed()) this.#drop(client);
      else this.#idle.push(client);
      return result;
    } catch (cause) {
      const error = this.#noted(databaseError(cause));
      // Of a connection that broke nothing is kept, and after a refusal it may be in the middle of anything.
      this.#drop(client);
      // What happened to one has mostly happened to all: nobody should have to find that out one by one.
      if (isAway(error)) for (const other of this.#idle.splice(0)) this.#drop(other);
      throw error;
    } finally {
      this.#waiting.shift()?.();
    }
  }

  #isClosed(): boolean {
    return this.#closed;
  }

  #drop(client: Client | undefined): void {
    this.#open--;
    void client?.end().catch(() => undefined);
  }

  #noted<E>(error: E): E {
    if (isAway(error)) this.#awaySince ??= performance.now();
    return error;
  }

  #answered(): void {
    if (!this.isAway) return;
    this.#awaySince = undefined;
    this.#backSince = performance.now();
  }
}

export function runOn(client: Client, withinMs?: number): Run {
  return async <R extends Row>(text: string, values: readonly Value[] = []) => {
    const query = { text, values: values.map(parameter), ...(withinMs && { query_timeout: withinMs }) };
    return client.query<R>(query);
  };
}

/** BEGIN, the work, COMMIT. The connection is useless when this throws. */
export async function inTransaction<T>(client: Client, work: (run: Run) => Promise<T>): Promise<T> {
  await client.query('BEGIN');
  const result = await work(runOn(client));
  const { command } = await client.query('COMMIT');
  if (command !== 'COMMIT') throw new StorageError('storage/database-refused', 'a transaction was rolled back');
  return result;
}

function parameter(value: Value): unknown {
  if (value instanceof Uint8Array) return asBuffer(value);
  if (Array.isArray(value)) return value.map((item) => (item instanceof Uint8Array ? asBuffer(item) : item) as unknown);
  return typeof value === 'bigint' ? value.toString() : value;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

export function isAway(error: unknown): boolean {
  return error instanceof StorageError && error.code === 'storage/database-away';
}

/** Classes and codes of SQLSTATE after which the same may work later: connections, resources, shutdowns, deadlocks, a standby, a pause. */
const LATER = /^(08...|53300|57P0[123]|57014|40001|40P01|25006|25P03)$/;
const NETWORK = /^(E(CONN\w+|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH|NOTFOUND|AI_AGAIN))$/;
/** What pg throws without a code when a connection goes away under it. */
const BROKEN =
  /^(Connection terminated|timeout expired|Query read timeout|Client has encountered a connection error|Client was closed)/;

/** Errors of ours pass through. */
export function databaseError(cause: unknown): unknown {
  if (cause instanceof AggregateError && cause.errors.length > 0) return databaseError(cause.errors[0]);
  if (!(cause instanceof Error) || cause instanceof StorageError) return cause;
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  if (LATER.test(code) || NETWORK.test(code) || BROKEN.test(cause.message))
    return new StorageError('storage/database-away', `the database does not answer (${code || cause.message})`, {
      category: 'unavailable',
      cause,
    });
  // Anything else with a code of five characters is the server's, and of TLS the long ones.
  if (/^[0-9A-Z]{5}$/.test(code) || /^(ERR_TLS|ERR_SSL|CERT|SELF_SIGNED|UNABLE_TO|DEPTH_ZERO)/.test(code))
    return new StorageError('storage/database-refused', `the database refused: ${cause.message} (${code})`, { cause });
  if (/SSL|TLS|authentication|password/i.test(cause.message))
    return new StorageError('storage/database-refused', `the database refused: ${cause.message}`, { cause });
  return cause;
}

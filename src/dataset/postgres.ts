// PostgreSQL as a source: one SELECT in a read-only transaction, streamed by a cursor, so that no more than a batch is held here and the
// server keeps no session longer than the reading takes. What the server says is never passed on: it may quote a record.

import type { Client, FieldDef, QueryArrayResult } from 'pg';
import { readSecretFile, readSmallFile } from '../system/index.js';
import { databaseFailure } from './postgres-failure.js';
import type { RowBatch, RowColumn, RowStream } from './rows.js';

export interface PostgresPlace {
  /** `postgres://user@host:port/database`; `postgres://user@localhost/database?host=/folder` for a socket. Without a password. */
  readonly url: string;
  /** Holds the password alone; mode 0600. */
  readonly passwordFile?: string | undefined;
  /** Verified by the system's authorities unless given; `off` sends records in clear. */
  readonly tls?: PostgresTls | 'off' | undefined;
}

export interface PostgresTls {
  /** Authority of the server, PEM. */
  readonly ca?: string | undefined;
  /** This client's certificate and key, PEM, where the server asks for them. */
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
}

export interface PostgresQuery {
  /** Name of the data set, for errors. */
  readonly name: string;
  readonly sql: string;
  readonly place: PostgresPlace;
}

/** Rows fetched at once: some megabytes at a thousand columns. */
const BATCH_ROWS = 1024;
/** Milliseconds until a server that does not answer counts as not there. */
const CONNECT_MS = 10_000;
/** Milliseconds that the server may work on one batch; the first one of a sorted query holds the whole sorting. */
const STATEMENT_MS = 600_000;
const PEM_BYTES = 256 * 1024;

/** Runs one SELECT and lends its rows to `use`. Throws DataSetError. */
export async function withPostgres<T>(query: PostgresQuery, use: (rows: RowStream) => Promise<T>): Promise<T> {
  const { default: pg } = await import('pg');
  const { default: Cursor } = await import('pg-cursor');
  const client = new pg.Client(await settingsOf(query.place));
  // A connection that breaks while nobody waits for it shows at the next call.
  client.on('error', () => undefined);
  const guarded = async <R>(action: () => Promise<R>): Promise<R> => {
    try {
      return await action();
    } catch (cause) {
      throw databaseFailure(query.name, cause);
    }
  };
  try {
    await guarded(() => client.connect());
    await guarded(() => begin(client));
    const fields = await guarded(() => describe(client, query.sql));
    const columns = await guarded(() => columnsOf(client, fields));
    const cursor = client.query(new Cursor<unknown[]>(query.sql, [], { rowMode: 'array', types: AS_TEXT }));
    return await use({
      columns,
      next: async () => {
        const rows = await guarded(() => cursor.read(BATCH_ROWS));
        return rows.length === 0 ? undefined : batchOf(rows, columns);
      },
    });
  } finally {
    // Ends the transaction with the session, whatever state either is in.
    await client.end().catch(() => undefined);
  }
}

async function settingsOf({ url, passwordFile, tls }: PostgresPlace) {
  const { hostname, port, username, pathname, searchParams } = new URL(url);
  const socket = searchParams.get('host');
  const pem = async (path: string | undefined): Promise<string | undefined> =>
    path === undefined ? undefined : Buffer.from(await readSmallFile(path, PEM_BYTES)).toString('utf8');
  const secret = async (path: string): Promise<string> =>
    Buffer.from(await readSecretFile(path))
      .toString('utf8')
      .replace(/\r?\n$/, '');
  const password = passwordFile === undefined ? '' : await secret(passwordFile);
  const ssl =
    tls === 'off' || socket !== null
      ? false
      : {
          rejectUnauthorized: true,
          ca: await pem(tls?.ca),
          cert: await pem(tls?.certificate),
          key: tls?.key === undefined ? undefined : await secret(tls.key),
        };
  return {
    host: socket ?? hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? 5432 : Number(port),
    user: decodeURIComponent(username),
    database: decodeURIComponent(pathname.slice(1)),
    // A function, so that neither the environment nor ~/.pgpass is asked.
    password: () => password,
    ssl,
    application_name: 'veilsum-agent',
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
  };
}

async function begin(client: Client): Promise<void> {
  // One moment of the database for the whole reading, and nothing in it can write.
  await client.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
  await client.query(`SET LOCAL statement_timeout = ${String(STATEMENT_MS)}`);
}

/**
 * The columns of the query, without running it. DECLARE takes exactly one SELECT and no parameters: so the server itself says whether it is
 * one. The extended protocol takes one statement at a time.
 */
async function describe(client: Client, sql: string): Promise<readonly FieldDef[]> {
  const declaration = { text: `DECLARE veilsum NO SCROLL CURSOR FOR ${sql}`, queryMode: 'extended' };
  await client.query(declaration);
  const { fields } = await client.query('FETCH 0 FROM veilsum');
  await client.query('CLOSE veilsum');
  return fields;
}

/** bool, int8, int2, int4, float4, float8, numeric. */
const NUMERIC = new Set([16, 20, 21, 23, 700, 701, 1700]);
const BOOLEAN = 16;

async function columnsOf(client: Client, fields: readonly FieldDef[]): Promise<readonly PostgresColumn[]> {
  const ids = [...new Set(fields.map(({ dataTypeID }) => dataTypeID))];
  const { rows }: QueryArrayResult<[number, string, string]> = await client.query({
    text: 'SELECT oid::int8::float8, format_type(oid, NULL), typcategory::text FROM pg_type WHERE oid = ANY($1)',
    values: [ids],
    rowMode: 'array',
  });
  const known = new Map(rows.map(([id, name, category]) => [id, { name, category }]));
  return fields.map(({ name, dataTypeID }) => {
    const type = known.get(dataTypeID);
    const numeric = NUMERIC.has(dataTypeID);
    // S: text of every kind; E: enumerations.
    const text = type?.category === 'S' || type?.category === 'E';
    return {
      name,
      type: type?.name ?? 'unknown',
      numeric,
      categorical: numeric || text,
      boolean: dataTypeID === BOOLEAN,
    };
  });
}

interface PostgresColumn extends RowColumn {
  readonly boolean: boolean;
}

/** Values arrive as the text that PostgreSQL prints: exact for every type, and independent of parsers that somebody may set. */
const AS_TEXT = { getTypeParser: () => (text: string | Buffer) => text };

function batchOf(rows: readonly unknown[][], columns: readonly PostgresColumn[]): RowBatch {
  return {
    rows: rows.length,
    valuesOf: (column) => {
      const { numeric = false, boolean = false } = columns[column] ?? {};
      return (row) => {
        const value = rows[row]?.[column] ?? null;
        if (value === null) return null;
        if (boolean) return value === 't';
        return numeric ? Number(value) : value;
      };
    },
  };
}

// How a server is reached: its URL as libpq writes it, without the password, which lies in a file and is read anew for each connection, so
// that it can be changed while coordinators run. Nothing here is ever printed but host, port, database and user.

import type { ConnectionOptions } from 'node:tls';
import type { ClientConfig } from 'pg';
import { readSecretFile, readSmallFile } from '../../system/index.js';
import { StorageError } from '../errors.js';

export interface DatabaseSettings {
  /** `postgres://user@host:port/database?sslmode=verify-full`. A password in it is refused. */
  readonly url: string;
  /** A file (mode 0600) with the password on its first line. */
  readonly password?: string | undefined;
  /** Instead: a file (mode 0600) in the format of libpq's password file. */
  readonly passfile?: string | undefined;
  /** Authorities that the server's certificate is checked against; those of the system unless given. */
  readonly ca?: string | undefined;
  /** The client's own certificate and key, where the server asks for one. */
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  /** Schema that holds everything. */
  readonly schema: string;
  /** How long a database that is away is waited for. */
  readonly retryMs: number;
  /** How long a process may stand still in the middle of a transaction before the server ends it; some seconds unless given. */
  readonly standstillMs?: number | undefined;
}

const TLS_FILE_BYTES = 1 << 20;
const PORT = 5432;
const SCHEMA = /^[a-z][a-z0-9_]{0,30}$/;
const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '::1']);

/** Where the database is, for people. */
export function describeDatabase({ url, schema }: DatabaseSettings): string {
  const { host, port, database, user } = partsOf(url);
  return `database "${database}", schema "${schema}" on ${host}:${String(port)} as ${user}`;
}

interface Parts {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly tls: boolean;
}

/** Throws storage/bad-database. */
function partsOf(text: string): Parts {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw bad('the URL cannot be read');
  }
  if (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:') throw bad('the URL begins with postgres://');
  if (url.password !== '') throw bad('the URL holds a password: put it into a file of its own');
  const database = decodeURIComponent(url.pathname.slice(1));
  const user = decodeURIComponent(url.username);
  if (url.hostname === '' || database === '' || user === '') throw bad('the URL names user, host and database');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  for (const key of url.searchParams.keys()) if (key !== 'sslmode') throw bad(`the URL has the unknown setting ${key}`);
  const mode = url.searchParams.get('sslmode') ?? (LOOPBACK.has(host) ? 'disable' : 'verify-full');
  if (mode !== 'verify-full' && mode !== 'disable')
    throw bad(`sslmode is ${mode}: only verify-full shows who the server is, and disable is for this machine`);
  if (mode === 'disable' && !LOOPBACK.has(host)) throw bad('sslmode=disable is for a server on this machine');
  return { host, port: url.port === '' ? PORT : Number(url.port), database, user, tls: mode === 'verify-full' };
}

/** For the configuration, which finds out early. Throws storage/bad-database. */
export function demandDatabase(settings: DatabaseSettings): void {
  partsOf(settings.url);
  if (!SCHEMA.test(settings.schema)) throw bad('a schema has lower-case letters, digits and underscores');
  if (settings.password !== undefined && settings.passfile !== undefined)
    throw bad('password and passfile are both given');
}

/** For each new connection. */
export async function clientConfig(settings: DatabaseSettings): Promise<ClientConfig> {
  const { host, port, database, user, tls } = partsOf(settings.url);
  const password = await passwordOf(settings);
  return {
    host,
    port,
    database,
    user,
    ...(password === undefined ? {} : { password }),
    ssl: tls ? await tlsOptions(settings, host) : false,
  };
}

async function tlsOptions({ ca, certificate, key }: DatabaseSettings, host: string): Promise<ConnectionOptions> {
  const pem = async (path: string): Promise<string> =>
    Buffer.from(await readSmallFile(path, TLS_FILE_BYTES)).toString();
  return {
    // pg would not check the name of a host that it was given as an address.
    host,
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    ...(ca === undefined ? {} : { ca: await pem(ca) }),
    ...(certificate === undefined ? {} : { cert: await pem(certificate) }),
    ...(key === undefined ? {} : { key: Buffer.from(await readSecretFile(key)).toString() }),
  };
}

async function passwordOf(settings: DatabaseSettings): Promise<string | undefined> {
  const { password, passfile } = settings;
  if (password !== undefined)
    return Buffer.from(await readSecretFile(password))
      .toString()
      .split(/\r?\n/)[0];
  if (passfile === undefined) return undefined;
  const { host, port, database, user } = partsOf(settings.url);
  const wanted = [host, String(port), database, user];
  for (const line of Buffer.from(await readSecretFile(passfile))
    .toString()
    .split(/\r?\n/)) {
    if (line === '' || line.startsWith('#')) continue;
    const fields = fieldsOf(line);
    if (fields.length === 5 && wanted.every((value, k) => fields[k] === '*' || fields[k] === value)) return fields[4];
  }
  throw bad(`${passfile} has no line for ${host}:${String(port)}, database ${database}, user ${user}`);
}

/** Colons divide; a backslash takes the next character as it is. */
function fieldsOf(line: string): string[] {
  const fields = [''];
  for (let at = 0; at < line.length; at++) {
    const character = line.charAt(at);
    if (character === ':') fields.push('');
    else fields.push(`${fields.pop() ?? ''}${character === '\\' ? line.charAt(++at) : character}`);
  }
  return fields;
}

function bad(what: string): StorageError {
  return new StorageError('storage/bad-database', what, { category: 'content' });
}

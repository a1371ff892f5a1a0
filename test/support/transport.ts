// A coordinator and its callers on 127.0.0.1, with real certificates of an authority made for the test file.

import { randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { type Clock, type Rng, type UnixMs, unixMs } from '../../src/base/index.js';
import { type Authority, createAuthority, type Identity, issueWithNewKey, openAuthority } from '../../src/pki/index.js';
import {
  type AdminClient,
  type AdminHandlers,
  connectAdmin,
  connectSilo,
  type RunningServer,
  type ServerOptions,
  type SiloClient,
  type SiloConnectOptions,
  type SiloHandlers,
  startServer,
  type TlsMaterial,
} from '../../src/transport/index.js';

export const CONSORTIUM = 'north';
const DAY_MS = 86_400_000;

// grpc-js obeys the proxy settings of the environment; tests speak to this machine alone.
process.env['no_grpc_proxy'] = '127.0.0.1,localhost';

export const rng: Rng = { bytes: (length) => randomBytes(length) };

/** The real time, which TLS uses as well, moved by as much as a test says. */
export class TestClock implements Clock {
  offsetMs = 0;
  now(): UnixMs {
    return unixMs(Date.now() + this.offsetMs);
  }
}

export class TestAuthority {
  readonly #authority: Authority;
  readonly certificatePem: string;

  private constructor(authority: Authority, certificatePem: string) {
    this.#authority = authority;
    this.certificatePem = certificatePem;
  }

  static async create(consortium = CONSORTIUM): Promise<TestAuthority> {
    const files = await createAuthority({ consortium, lifetimeMs: 10 * DAY_MS, now: unixMs(Date.now()), rng });
    return new TestAuthority(await openAuthority(files), files.certificatePem);
  }

  async member(
    role: Identity['role'],
    id: string,
    options: { lifetimeMs?: number; now?: number } = {},
  ): Promise<TlsMaterial> {
    const issued = await issueWithNewKey(this.#authority, {
      identity: { role, id },
      lifetimeMs: options.lifetimeMs ?? DAY_MS,
      now: unixMs(options.now ?? Date.now()),
      rng,
      ...(role === 'coordinator' ? { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] } : {}),
    });
    return {
      chainPem: issued.certificatePem,
      authorityPem: this.certificatePem,
      privateKeyPem: issued.privateKeyPem,
    };
  }
}

export function unused(name: string): never {
  throw new Error(`the test did not expect a call of ${name}`);
}

export const NO_SILO: SiloHandlers = {
  watch: () => unused('watch'),
  submit: () => unused('submit'),
  uploadMasked: () => unused('uploadMasked'),
  uploadStatus: () => unused('uploadStatus'),
  getBlob: () => unused('getBlob'),
  readLog: () => unused('readLog'),
  proveLog: () => unused('proveLog'),
};

export const NO_ADMIN: AdminHandlers = {
  putBlob: () => unused('putBlob'),
  createJob: () => unused('createJob'),
  listJobs: () => unused('listJobs'),
  getJob: () => unused('getJob'),
  listRounds: () => unused('listRounds'),
  getRound: () => unused('getRound'),
  watchRounds: () => unused('watchRounds'),
  exportModel: () => unused('exportModel'),
  exportSum: () => unused('exportSum'),
  exportArtefact: () => unused('exportArtefact'),
  giveOrder: () => unused('giveOrder'),
  listOrders: () => unused('listOrders'),
  getParticipation: () => unused('getParticipation'),
  getLedger: () => unused('getLedger'),
  listSilos: () => unused('listSilos'),
  getSilo: () => unused('getSilo'),
  getServerInfo: () => unused('getServerInfo'),
  listActs: () => unused('listActs'),
  getCheckpoint: () => unused('getCheckpoint'),
  listEntries: () => unused('listEntries'),
  getInclusionProof: () => unused('getInclusionProof'),
  getConsistencyProof: () => unused('getConsistencyProof'),
};

export interface Served extends RunningServer {
  readonly address: string;
  /** What handlers threw that peers were not told. */
  readonly internalErrors: unknown[];
}

export type ServeOptions = Partial<Omit<ServerOptions, 'silo' | 'admin'>> & {
  silo?: Partial<SiloHandlers>;
  admin?: Partial<AdminHandlers>;
};

export async function serve(authority: TestAuthority, options: ServeOptions = {}): Promise<Served> {
  const internalErrors: unknown[] = [];
  const server = await startServer({
    host: '127.0.0.1',
    port: 0,
    tls: await authority.member('coordinator', 'coordinator'),
    consortium: CONSORTIUM,
    clock: new TestClock(),
    onInternalError: (error) => internalErrors.push(error),
    ...options,
    silo: { ...NO_SILO, ...options.silo },
    admin: { ...NO_ADMIN, ...options.admin },
  });
  onTestFinished(() => server.close(0));
  return { ...server, address: `127.0.0.1:${server.port}`, internalErrors };
}

/** Waits are not slept through but only give way once: tests of retries do not depend on time. */
export const noSleep: SiloConnectOptions['sleep'] = (_ms, _signal) => new Promise((resolve) => setTimeout(resolve, 5));

const DIALLING = { consortium: CONSORTIUM, clock: new TestClock(), rng, sleep: noSleep };

export function silo(address: string, tls: TlsMaterial, options: Partial<SiloConnectOptions> = {}): SiloClient {
  const client = connectSilo({ ...DIALLING, address, tls, agentVersion: 'test', ...options });
  onTestFinished(() => {
    client.close();
  });
  return client;
}

export function admin(address: string, tls: TlsMaterial, options: Partial<SiloConnectOptions> = {}): AdminClient {
  const client = connectAdmin({ ...DIALLING, address, tls, ...options });
  onTestFinished(() => {
    client.close();
  });
  return client;
}

/** Yields to the event loop until `met`, at most for the time of some thousand turns. */
export async function until(met: () => boolean): Promise<void> {
  for (let turn = 0; turn < 5000; turn++) {
    if (met()) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw new Error('what the test waits for has not come about');
}

export async function* pieces(...all: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void, undefined> {
  await Promise.resolve();
  yield* all;
}

export async function gathered(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts);
}

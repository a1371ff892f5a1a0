// From a configuration to a running coordinator: files, store, recovery, server.

import { readFile } from 'node:fs/promises';
import { equalBytes, LIMITS } from '../src/base/index.js';
import type { CoordinatorConfig } from '../src/config/index.js';
import { SigningKey } from '../src/crypto/index.js';
import { readBundle, readSigningKey, RevocationFile } from '../src/pki/index.js';
import { COORDINATOR, readRoster, type Roster } from '../src/protocol/index.js';
import { exitCodeFor, fileError, systemClock } from '../src/system/index.js';
import type { Log } from '../src/telemetry/index.js';
import { startServer, type TlsMaterial } from '../src/transport/index.js';
import { adminHandlers } from './admin/index.js';
import { CoordinatorError } from './errors.js';
import { adminSource } from './jobs.js';
import { CoordinatorService } from './service.js';
import { siloHandlers } from './silo-handlers.js';
import { openStore } from './store.js';

export interface RunningCoordinator {
  readonly port: number;
  stop(graceMs: number): Promise<void>;
}

export async function startCoordinator(config: CoordinatorConfig, log: Log): Promise<RunningCoordinator> {
  const roster = await loadRoster(config.roster.file);
  const { seed, publicKey } = await readSigningKey(config.keys.signing);
  const expected = roster.keyOf(COORDINATOR);
  if (expected === undefined || !equalBytes(expected, publicKey))
    throw new CoordinatorError(
      'coordinator/roster-key',
      `the key in ${config.keys.signing} is not the coordinator's key in ${config.roster.file}.`,
    );
  const tls = await loadTls(config.tls);
  const revocations = config.revoked === undefined ? undefined : await RevocationFile.open(config.revoked);
  const store = await openStore(config.state, config.keys.storage);
  const service = await CoordinatorService.start({
    self: { signingKey: SigningKey.from(seed), roster },
    store,
    clock: systemClock,
    log,
    fatal: (error) => {
      end(log, error);
    },
  });
  const { host, port } = splitAddress(config.listen);
  const server = await startServer({
    host,
    port,
    tls,
    consortium: config.consortium,
    clock: systemClock,
    ...(revocations === undefined ? {} : { revocations }),
    silo: siloHandlers(service, log),
    admin: adminHandlers(adminSource(service)),
    onInternalError: (error, path) => {
      log.error('program.internal-error', { path, ...describe(error) });
    },
  });
  log.info('program.started', { host, port: server.port, consortium: config.consortium });
  return {
    port: server.port,
    stop: async (graceMs) => {
      log.info('program.stopping');
      await server.close(graceMs);
      await service.stop();
      await store.close();
      log.info('program.stopped');
      await log.flush();
    },
  };
}

async function loadRoster(path: string): Promise<Roster> {
  return readRoster(await readSmall(path));
}

async function loadTls(paths: { readonly bundle: string; readonly ca: string }): Promise<TlsMaterial> {
  const { chainPem, privateKeyPem } = await readBundle(paths.bundle);
  const authorityPem = new TextDecoder().decode(await readSmall(paths.ca));
  return { chainPem, privateKeyPem, authorityPem };
}

async function readSmall(path: string): Promise<Uint8Array> {
  try {
    const bytes = await readFile(path);
    return new Uint8Array(bytes.subarray(0, LIMITS.manifestBytes + 1));
  } catch (cause) {
    throw fileError('reading', path, cause);
  }
}

function splitAddress(address: string): { readonly host: string; readonly port: number } {
  const at = address.lastIndexOf(':');
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(address.slice(at + 1)) };
}

/** What a log may say of an error that is ours: its code or its kind and where it was thrown, never values. */
export function describe(error: unknown): { readonly code: string; readonly detail: string } {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string')
    return { code: error.code, detail: error.message };
  if (error instanceof Error)
    return { code: error.name, detail: `${error.message} ${error.stack?.split('\n')[1]?.trim() ?? ''}` };
  return { code: 'unknown', detail: 'not an error object' };
}

/** A write that failed or a bug: nothing may be answered any more. */
function end(log: Log, error: unknown): void {
  log.error('program.internal-error', { fatal: true, ...describe(error) });
  void log.flush().finally(() => process.exit(exitCodeFor(error)));
}

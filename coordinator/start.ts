// From a configuration to a running coordinator: files, store, recovery, server.

import { equalBytes, isCodedError, LIMITS, type UnixMs } from '../src/base/index.js';
import { Computer } from '../src/compute/index.js';
import type { CoordinatorConfig } from '../src/config/index.js';
import { SigningKey } from '../src/crypto/index.js';
import { splitAddress } from '../src/network/index.js';
import {
  COORDINATOR as COORDINATOR_IDENTITY,
  inspectCertificate,
  keepFresh,
  readSigningKey,
  RevocationFile,
  TlsFiles,
} from '../src/pki/index.js';
import { COORDINATOR, readRoster, type CoordinatorSelf, type Roster } from '../src/protocol/index.js';
import { defaultThreads, exitCodeFor, readSmallFile, systemClock } from '../src/system/index.js';
import { keepCertificates, metricsOf, serveMetrics } from '../src/upkeep/index.js';
import { errorFields, type Log, Traces } from '../src/telemetry/index.js';
import { patientServer, startServer } from '../src/transport/index.js';
import { adminHandlers } from './admin/index.js';
import { CertificateBook } from './certificates.js';
import { CoordinatorError } from './errors.js';
import { adminSource } from './jobs.js';
import { endCallsOfOutsiders } from './outsiders.js';
import { Cluster } from './cluster/index.js';
import { Refused } from './refused.js';
import { Eraser } from './retention.js';
import { CoordinatorService } from './service.js';
import { siloHandlers } from './silo-handlers.js';
import { tracedHandlers } from './sends.js';
import { countedHandlers } from './counted.js';
import { openStore } from './store.js';

export const COORDINATOR_VERSION = '0.1.0';

export interface RunningCoordinator {
  readonly port: number;
  stop(graceMs: number): Promise<void>;
}

/** The coordinator's key and its roster, which must name that key. Throws CoordinatorError `coordinator/roster-key`, Refusal `roster/…`. */
export async function loadSelf(config: CoordinatorConfig): Promise<CoordinatorSelf> {
  const roster = readRoster(await readSmallFile(config.roster.file, LIMITS.manifestBytes));
  const { seed, publicKey } = await readSigningKey(config.keys.signing);
  const expected = roster.keyOf(COORDINATOR);
  if (expected === undefined || !equalBytes(expected, publicKey))
    throw new CoordinatorError(
      'coordinator/roster-key',
      `the key in ${config.keys.signing} is not the coordinator's key in ${config.roster.file}.`,
    );
  return { signingKey: SigningKey.from(seed), logKey: await loadLogKey(config, roster), roster };
}

/** The key that signs checkpoints: needed where the roster names a log, and then the one it names. */
async function loadLogKey(config: CoordinatorConfig, roster: Roster): Promise<SigningKey | undefined> {
  if (roster.logKey === undefined) return undefined;
  const { log } = config.keys;
  if (log === undefined)
    throw new CoordinatorError(
      'coordinator/roster-key',
      `${config.roster.file} names a transparency log: keys.log must name the file of its key.`,
    );
  const { seed, publicKey } = await readSigningKey(log);
  if (!equalBytes(roster.logKey, publicKey))
    throw new CoordinatorError(
      'coordinator/roster-key',
      `the key in ${log} is not the key of the log in ${config.roster.file}.`,
    );
  return SigningKey.from(seed);
}

export async function startCoordinator(config: CoordinatorConfig, plainLog: Log): Promise<RunningCoordinator> {
  const self = await loadSelf(config);
  const tls = await TlsFiles.open(config.tls);
  const metrics = metricsOf(tls, {
    program: 'coordinator',
    connectedSilos: () => service.presence.size,
    queueDepth: () => service.queued,
    lease: () => cluster?.lease,
  });
  const traces =
    config.traces &&
    (await Traces.start({
      program: 'coordinator',
      version: COORDINATOR_VERSION,
      consortium: config.consortium,
      endpoint: config.traces.endpoint,
    }));
  const counted = metrics.observing(plainLog);
  const log = traces?.observing(counted) ?? counted;
  const revocations = config.revoked === undefined ? undefined : await RevocationFile.open(config.revoked);
  const store = await openStore(config);
  const fatal = (error: unknown): void => {
    end(log, error);
  };
  const { shared } = store;
  const cluster = shared === undefined ? undefined : new Cluster({ shared, log, fatal });
  const computer = new Computer({ threads: config.threads ?? defaultThreads() });
  const service = await CoordinatorService.start({
    computer,
    self,
    store,
    clock: systemClock,
    log,
    fatal,
    peers: cluster,
  });
  await cluster?.join(service);
  const certificates = await CertificateBook.open({
    table: store.sightings,
    clock: systemClock,
    note: (act) => service.note(act),
  });
  /** What the log could not be told because the program stops is told when the certificate is shown again. */
  const inLog = (written: Promise<void>): void => {
    written.catch((error: unknown) => {
      if (!isForLater(error)) end(log, error);
    });
  };
  if (revocations !== undefined) inLog(certificates.revoked(revocations));
  const { host, port } = splitAddress(config.listen);
  const startedAt = systemClock.now();
  const server = await startServer({
    host,
    port,
    tls: tls.current,
    consortium: config.consortium,
    clock: systemClock,
    limits: patientServer(config.connection),
    ...(revocations === undefined ? {} : { revocations }),
    silo: countedHandlers(tracedHandlers(siloHandlers(service, log)), metrics),
    admin: adminHandlers(
      adminSource(service, {
        server: { version: COORDINATOR_VERSION, startedAt, certificateNotAfter: () => endOf(tls) },
        retention: config.retention,
        now: () => systemClock.now(),
      }),
    ),
    onNewPeer: (peer) => {
      inLog(certificates.met(peer));
    },
    traceCall: traces?.called,
    onInternalError: (error, path) => {
      log.error('program.internal-error', { path, ...errorFields(error) });
    },
  });
  endCallsOfOutsiders(service, (silo, error) => {
    server.endCallsOf(silo, error);
  });
  const stopRenewal = await keepCertificates({
    config,
    identity: COORDINATOR_IDENTITY,
    key: self.signingKey,
    tls,
    log,
    use: () => {
      server.replaceCertificate(tls.current);
    },
  });
  const stopRevocations =
    revocations === undefined
      ? () => undefined
      : keepFresh({
          file: revocations,
          onTaken: () => {
            inLog(certificates.revoked(revocations));
            log.info('revocations.reloaded', { serials: revocations.size });
          },
          onKept: (cause) => {
            log.error('revocations.kept', errorFields(cause));
          },
        });
  const eraser = new Eraser({
    store,
    retention: config.retention,
    clock: systemClock,
    state: () => service.state,
    missingInputs: service.missingInputs,
    note: (act) => service.note(act),
  });
  const stopErasing = eraser.run(
    () => service.leads,
    (error) => {
      if (!isForLater(error)) end(log, error);
    },
  );
  const metricsServer = await serveMetrics(config.metrics?.listen, metrics, tls);
  log.info('program.started', { host, port: server.port, consortium: config.consortium, metrics: metricsServer?.port });
  return {
    port: server.port,
    stop: async (graceMs) => {
      log.info('program.stopping');
      stopRenewal();
      stopRevocations();
      await server.close(graceMs);
      await metricsServer?.close();
      await stopErasing();
      await service.stop();
      await cluster?.leave();
      await computer.close();
      await store.close();
      await traces?.close();
      log.info('program.stopped');
      await log.flush();
    },
  };
}

/** The state has moved on, the program stops, or nobody leads at this moment: it is tried again by itself. */
function isForLater(error: unknown): boolean {
  return error instanceof Refused || (isCodedError(error) && error.category === 'unavailable');
}

function endOf({ leafPem }: TlsFiles): UnixMs {
  return inspectCertificate(leafPem).notAfter;
}

/** A write that failed or a bug: nothing may be answered any more. */
function end(log: Log, error: unknown): void {
  if (isCodedError(error) && error.code === 'storage/lease-lost') log.error('lease.lost', errorFields(error));
  else log.error('program.internal-error', { fatal: true, ...errorFields(error) });
  void log.flush().finally(() => process.exit(exitCodeFor(error)));
}

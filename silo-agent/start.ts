// From a configuration to a running agent: files, store, recovery, connection.

import { asSiloId, equalBytes, LIMITS, type SiloId } from '../src/base/index.js';
import { Computer } from '../src/compute/index.js';
import type { AgentConfig, AgentPolicy } from '../src/config/index.js';
import { SigningKey } from '../src/crypto/index.js';
import { identityUri, inspectCertificate, readSigningKey, TlsFiles } from '../src/pki/index.js';
import { readProxy } from '../src/network/index.js';
import {
  accountOf,
  readRoster,
  siloSigner,
  type Budget,
  type Roster,
  type SiloSelf,
  type SiloState,
} from '../src/protocol/index.js';
import { defaultThreads, exitCodeFor, readSmallFile, systemClock, systemRng } from '../src/system/index.js';
import { keepCertificates, metricsOf, serveMetrics } from '../src/upkeep/index.js';
import { errorFields, type Log, type PrivacySpent, Traces } from '../src/telemetry/index.js';
import { connectSilo, patientClient } from '../src/transport/index.js';
import { Agent } from './agent.js';
import type { LocalWork } from './contribute.js';
import { AGENT_ERRORS, AgentError } from './errors.js';
import { countedClient } from './counted.js';
import { Offers } from './offers.js';
import { tracedClient } from './sends.js';
import { RosterFiles } from './roster-files.js';
import { openStore } from './store.js';

export const AGENT_VERSION = '0.1.0';

export interface RunningAgent {
  readonly agent: Agent;
  /** Settles when the agent stops working. */
  readonly done: Promise<void>;
  stop(): Promise<void>;
}

/** Who this silo is: its key, the pinned roster and its own policy. Throws Refusal `roster/…`, AgentError `agent/roster-key`. */
export async function loadSelf(config: AgentConfig): Promise<SiloSelf> {
  const siloId = asSiloId(config.silo);
  if (siloId === undefined) throw new AgentError('agent/roster-key', `"${config.silo}" is not a silo id.`);
  const roster = readRoster(await readSmallFile(config.roster.file, LIMITS.manifestBytes), config.roster.hash);
  const { seed, publicKey } = await readSigningKey(config.keys.signing);
  const expected = roster.keyOf(siloSigner(siloId));
  if (expected === undefined || !equalBytes(expected, publicKey))
    throw new AgentError(
      'agent/roster-key',
      `the key in ${config.keys.signing} is not the key of silo "${config.silo}" in ${config.roster.file}.`,
    );
  const { minCohort, minHonest, maxMalicious, roundsPerDay, differencing, graph } = config.policy;
  return {
    siloId,
    signingKey: SigningKey.from(seed),
    cosigningKey: await loadCosigningKey(config, siloId, roster),
    roster,
    policy: {
      minCohort,
      minHonest,
      maxMalicious,
      roundsPerDay,
      differencing,
      graph,
      budgets: budgetsOf(config.policy),
    },
  };
}

/** As loadSelf, with the roster that is in force as far as the agent in this state folder has been told. */
export async function loadPresentSelf(config: AgentConfig): Promise<SiloSelf> {
  const self = await loadSelf(config);
  return { ...self, roster: await new RosterFiles(config.state).present(self.roster) };
}

function budgetsOf({ privacy }: AgentPolicy): ReadonlyMap<string, Budget> {
  const budgets = Object.entries(privacy.dataSets).map(
    ([name, { withoutNoise, ...terms }]) => [name, { ...terms, withoutNoise: withoutNoise === 'allow' }] as const,
  );
  return new Map(budgets);
}

/** TLS and protocol must speak for one and the same silo. Throws AgentError `agent/certificate`. */
function demandOwnCertificate({ silo, consortium, tls }: AgentConfig, chainPem: string): void {
  const { identity, consortium: named, names } = inspectCertificate(chainPem);
  if (identity?.role === 'silo' && identity.id === silo && named === consortium) return;
  const expected = identityUri(consortium, { role: 'silo', id: silo });
  throw new AgentError(
    'agent/certificate',
    `the certificate in ${tls.bundle} stands for ${names.join(', ') || 'nobody'}; this silo is ${expected}.`,
    { remedy: AGENT_ERRORS['agent/certificate'] },
  );
}

/** The key that joins checkpoints: needed where the consortium keeps a log, and then the one that the roster names. */
async function loadCosigningKey(config: AgentConfig, siloId: SiloId, roster: Roster): Promise<SigningKey | undefined> {
  if (roster.logKey === undefined) return undefined;
  const { cosigning } = config.keys;
  if (cosigning === undefined)
    throw new AgentError(
      'agent/roster-key',
      `${config.roster.file} names a transparency log: keys.cosigning must name the file of this silo's cosigning key.`,
    );
  const { seed, publicKey } = await readSigningKey(cosigning);
  const expected = roster.members.get(siloId)?.cosigningKey;
  if (expected === undefined || !equalBytes(expected, publicKey))
    throw new AgentError(
      'agent/roster-key',
      `the key in ${cosigning} is not the cosigning key of silo "${siloId}" in ${config.roster.file}.`,
    );
  return SigningKey.from(seed);
}

/** What each data set with a budget has cost; computed again only when something was charged, because scrapes come often. */
function spentOf(): (state: SiloState) => readonly PrivacySpent[] {
  let ledger: SiloState['ledger'] | undefined;
  let known: readonly PrivacySpent[] = [];
  return (state) => {
    if (state.ledger === ledger) return known;
    ledger = state.ledger;
    known = [...(state.self.policy.budgets ?? [])].map(([dataSet, { epsilon, delta }]) => ({
      dataSet,
      spent: accountOf(state, dataSet, delta).spent,
      budget: epsilon,
    }));
    return known;
  };
}

export interface AgentParts {
  /** What the silo's own work is done with; DuckDB and ONNX Runtime unless given. */
  readonly work?: LocalWork;
  /** Threads that several agents of one process share; an agent's own, as its configuration says, unless given. */
  readonly computer?: Computer;
}

export async function startAgent(config: AgentConfig, plainLog: Log, parts: AgentParts = {}): Promise<RunningAgent> {
  const self = await loadSelf(config);
  const tls = await TlsFiles.open(config.tls);
  demandOwnCertificate(config, tls.current.chainPem);
  const metrics = metricsOf(tls, { program: 'agent', privacy: () => spent(agent.state) });
  const spent = spentOf();
  const traces =
    config.traces &&
    (await Traces.start({
      program: 'agent',
      version: AGENT_VERSION,
      consortium: config.consortium,
      silo: config.silo,
      endpoint: config.traces.endpoint,
    }));
  const counted = metrics.observing(plainLog);
  const log = traces?.observing(counted) ?? counted;
  const store = await openStore(config.state, config.keys.storage);
  const offers = await Offers.open(config.state);
  const fatal = (error: unknown): void => {
    log.error('program.internal-error', { fatal: true, ...errorFields(error) });
    void log.flush().finally(() => process.exit(exitCodeFor(error)));
  };
  const client = countedClient(
    tracedClient(
      connectSilo({
        address: config.coordinator.address,
        serverName: config.coordinator.serverName,
        proxy: await readProxy(config.proxy),
        limits: patientClient(config.connection),
        tls: tls.current,
        consortium: config.consortium,
        clock: systemClock,
        rng: systemRng,
        agentVersion: AGENT_VERSION,
        traceparent: traces?.traceparent,
        onBreak: (error) => {
          log.warn('connection.lost', { code: error.code, detail: error.message });
        },
      }),
    ),
    metrics,
  );
  const computer = parts.computer ?? new Computer({ threads: config.threads ?? defaultThreads() });
  const agent = await Agent.open({
    config,
    self,
    store,
    offers,
    client,
    clock: systemClock,
    rng: systemRng,
    log,
    computer,
    work: parts.work,
    fatal,
  });
  const stopRenewal = await keepCertificates({
    config,
    identity: { role: 'silo', id: config.silo },
    key: self.signingKey,
    tls,
    log,
    use: () => {
      client.replaceCertificate(tls.current);
    },
  });
  const metricsServer = await serveMetrics(config.metrics?.listen, metrics, tls);
  log.info('program.started', {
    metrics: metricsServer?.port,
    silo: config.silo,
    coordinator: config.coordinator.address,
    version: AGENT_VERSION,
  });
  const done = agent.run();
  done.catch(fatal);
  return {
    agent,
    done,
    stop: async () => {
      log.info('program.stopping');
      stopRenewal();
      await agent.stop();
      if (parts.computer === undefined) await computer.close();
      client.close();
      await metricsServer?.close();
      await store.close();
      await traces?.close();
      log.info('program.stopped');
      await log.flush();
    },
  };
}

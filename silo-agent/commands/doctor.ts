// veilsum-agent doctor: is everything in place for this agent to run? Works beside a running one; changes nothing.

import type { Command } from 'commander';
import { type AgentConfig, readAgentConfig } from '../../src/config/index.js';
import { probeDataSet } from '../../src/dataset/index.js';
import { readProxy } from '../../src/network/index.js';
import { type Identity, TlsFiles } from '../../src/pki/index.js';
import { validCohortSizes } from '../../src/protocol/index.js';
import { EXIT } from '../../src/system/index.js';
import { loadRuntime } from '../../src/trainer/index.js';
import {
  checkAuthority,
  checkCertificate,
  checkDisk,
  checked,
  checkEnvironment,
  checkMemory,
  checkWay,
  failed,
  type Finding,
  findingLines,
  ok,
  verdict,
  warning,
} from '../../src/upkeep/index.js';
import { checkJobs } from '../job-check.js';
import { loadPresentSelf } from '../start.js';

/** Bytes for each parameter while it is trained: weights, gradients, optimiser's state, the quantised input and its masks. */
const BYTES_PER_PARAMETER = 40;

interface Options {
  readonly config: string;
  readonly json?: boolean;
}

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('check configuration, keys, certificates, network, machine and records, and say what to fix')
    .requiredOption('--config <file>', 'its configuration')
    .option('--json', 'as JSON')
    .action(doctor);
}

async function doctor({ config: path, json }: Options): Promise<void> {
  const config = await readAgentConfig(path);
  const findings = await examine(config);
  if (json === true) console.log(JSON.stringify(findings, null, 2));
  else for (const line of [...findingLines(findings), '', verdict(findings)]) console.log(line);
  if (findings.some(({ state }) => state === 'failed')) process.exitCode = EXIT.failed;
}

async function examine(config: AgentConfig): Promise<Finding[]> {
  return [
    ok('configuration', `silo ${config.silo} of ${config.consortium}`),
    ...(await checked('roster', async () => {
      const { roster } = await loadPresentSelf(config);
      const found = `has the pinned hash, names this key; epoch ${String(roster.epoch)} with ${String(roster.members.size)} members is in force`;
      if (roster.keyOf(`silo/${config.silo}`) !== undefined) return ok('roster', found);
      const remedy =
        'The members have removed this silo: `veilsum-agent roster show` says when and why. Ask the consortium.';
      return failed('roster', `epoch ${String(roster.epoch)} of the roster has no silo "${config.silo}"`, remedy);
    })),
    ...(await checked('policy', async () => checkPolicy(config, (await loadPresentSelf(config)).roster.members.size))),
    ...(await checkNetwork(config)),
    ...checkEnvironment(config.proxy !== undefined),
    ...(await checked('disk', () => checkDisk(config.state))),
    checkMemory(config.policy.maxParameters * BYTES_PER_PARAMETER),
    ...(await checkData(config)),
    ...(await checked('models', async () => {
      await loadRuntime();
      return ok('models', `ONNX Runtime is there; up to ${String(config.policy.maxParameters)} parameters by policy`);
    })),
    ...(await checked('jobs', () => checkJobs(config))),
  ];
}

/** A consortium that is smaller than this silo's own floors gives no job that it could take part in. */
function checkPolicy({ policy }: AgentConfig, silos: number): Finding {
  const { minCohort, minHonest, maxMalicious } = policy;
  const floors = `cohorts of ${String(minCohort)}, ${String(minHonest)} honest inputs when ${String(maxMalicious)} may be malicious`;
  if (validCohortSizes(silos, { c: maxMalicious, minCohort, minHonest }).length > 0)
    return ok('policy', `${floors}; the consortium has ${String(silos)} silos`);
  return warning(
    'policy',
    `asks for ${floors}; the consortium has ${String(silos)} silos, so no job can run here`,
    'Ask the consortium when more will join, or lower the floors: four hospitals need minCohort: 4, minHonest: 2, allowSmallCohort: true.',
  );
}

async function checkNetwork(config: AgentConfig): Promise<Finding[]> {
  const { consortium, authority, coordinator } = config;
  const identity: Identity = { role: 'silo', id: config.silo };
  return checked('certificate', async () => {
    const tls = await TlsFiles.open(config.tls);
    const findings = checkCertificate(tls, consortium, identity, authority !== undefined);
    const proxy = await readProxy(config.proxy);
    const { authorityPem } = tls.current;
    return [
      ...findings,
      ...(await checked('connection', () =>
        checkWay({ ...coordinator, proxy, consortium, tls: tls.current, clock: authority === undefined }),
      )),
      ...(authority === undefined
        ? [
            warning(
              'authority',
              'the configuration names none: nothing renews this certificate',
              'Add authority.address, or see to it that somebody replaces the bundle in time.',
            ),
          ]
        : await checked('authority', () => checkAuthority({ ...authority, proxy }, consortium, authorityPem))),
    ];
  });
}

async function checkData({ dataSets }: AgentConfig): Promise<Finding[]> {
  const sources = Object.entries(dataSets);
  if (sources.length === 0)
    return [
      warning('data', 'the configuration names no data set', 'Fill in dataSets; without one every job is declined.'),
    ];
  const all = sources.map(([name, source]) =>
    checked(`data ${name}`, async () => {
      const columns = await probeDataSet({ name, ...source });
      return ok(`data ${name}`, `can be read, ${String(columns)} columns`);
    }),
  );
  return (await Promise.all(all)).flat();
}

// A consortium from nothing, with the programs its members would use: authority, certificates, keys, roster, configurations.

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { defaultMalicious } from '../../src/protocol/index.js';
import { command } from './processes.js';
import type { Scenario } from './records.js';

export const CONSORTIUM = 'demo';
const OPERATOR = 'olga';
const AUDITOR = 'arno';
/** Two cores: more at once only wait for each other. */
export const AT_ONCE = 3;

export interface Founded {
  readonly folder: string;
  readonly rosterHash: string;
  readonly coordinatorConfig: string;
  agentConfig(silo: string): string;
  readonly operatorConfig: string;
  readonly auditorConfig: string;
}

/** Authority, keys, certificates and roster; what needs the coordinator's port follows in `writeConfigs`. */
export async function foundConsortium(folder: string, scenario: Scenario): Promise<Founded> {
  const secrets = join(folder, 'secrets');
  const ca = join(folder, 'ca');
  await mkdir(secrets, { recursive: true });
  await command('ca', ['init', '--consortium', CONSORTIUM, '--dir', ca]);
  const silos = scenario.silos.map(({ id }) => id);
  const issue = (role: string, id: string, ...more: string[]): string[] => [
    'issue',
    '--role',
    role,
    ...(id === '' ? [] : ['--id', id]),
    '--days',
    '2',
    '--dir',
    ca,
    '--out',
    join(secrets, `${id || role}.tls.pem`),
    ...more,
  ];
  const keys = ['coordinator', 'log', OPERATOR, AUDITOR, ...silos, ...silos.map((silo) => `${silo}.cosigning`)];
  const publicKeys = new Map<string, string>();
  const tasks: (() => Promise<unknown>)[] = keys.map((name) => async () => {
    const out = await command('ca', ['keygen', '--out', join(secrets, `${name}.key`)]);
    publicKeys.set(name, /\b[0-9a-f]{64}\b/.exec(out)?.[0] ?? '');
  });
  await inBatches(tasks, AT_ONCE);
  // The authority writes down each certificate it issues, so these go one after the other.
  await command('ca', issue('coordinator', '', '--dns', 'localhost', '--ip', '127.0.0.1'));
  await command('ca', issue('operator', OPERATOR));
  await command('ca', issue('auditor', AUDITOR));
  for (const silo of silos) await command('ca', issue('silo', silo));

  const roster = join(folder, 'roster.yaml');
  await writeFile(roster, rosterYaml(silos, publicKeys));
  await command('audit', ['roster', 'make', roster, '--out', join(folder, 'roster.bin')]);
  const hashed = await command('audit', ['roster', 'hash', join(folder, 'roster.bin')]);
  const rosterHash = /\b[0-9a-f]{64}\b/.exec(hashed)?.[0] ?? '';
  const coordinatorConfig = join(folder, 'coordinator.yaml');
  await writeFile(coordinatorConfig, coordinatorYaml());
  return {
    folder,
    rosterHash,
    coordinatorConfig,
    agentConfig: (silo) => join(folder, `${silo}.yaml`),
    operatorConfig: join(folder, 'operator.yaml'),
    auditorConfig: join(folder, 'auditor.yaml'),
  };
}

/** Runs tasks a few at a time. */
export async function inBatches(tasks: readonly (() => Promise<unknown>)[], size: number): Promise<void> {
  for (let at = 0; at < tasks.length; at += size) await Promise.all(tasks.slice(at, at + size).map((task) => task()));
}

function rosterYaml(silos: readonly string[], keys: ReadonlyMap<string, string>): string {
  const members = silos.map((silo) =>
    [
      `  - silo: ${silo}`,
      `    organisation: ${silo}`,
      `    signingKey: "${keys.get(silo) ?? ''}"`,
      `    cosigningKey: "${keys.get(`${silo}.cosigning`) ?? ''}"`,
      '    validFrom: 2020-01-01',
      '    validUntil: 2099-12-31',
    ].join('\n'),
  );
  return `consortium: ${CONSORTIUM}
operators:
  - { id: ${OPERATOR}, signingKey: "${keys.get(OPERATOR) ?? ''}" }
auditors:
  - { id: ${AUDITOR}, signingKey: "${keys.get(AUDITOR) ?? ''}" }
members:
${members.join('\n')}
coordinatorKey: "${keys.get('coordinator') ?? ''}"
logKey: "${keys.get('log') ?? ''}"
`;
}

function coordinatorYaml(): string {
  return `consortium: ${CONSORTIUM}
state: state/coordinator
listen: 127.0.0.1:0
tls: { bundle: secrets/coordinator.tls.pem, ca: ca/ca.pem }
keys: { signing: secrets/coordinator.key, log: secrets/log.key, storage: secrets/coordinator.storage.key }
roster: { file: roster.bin }
revoked: ca/revoked.txt
`;
}

/** Configurations of agents, operator and auditor, once the coordinator's port is known. */
export async function writeConfigs(founded: Founded, scenario: Scenario, port: number): Promise<void> {
  const n = scenario.silos.length;
  const c = defaultMalicious(n);
  const policy =
    n < 5
      ? `{ minCohort: ${String(n)}, minHonest: 2, maxMalicious: ${String(c)}, allowSmallCohort: true }`
      : `{ minCohort: 5, minHonest: 3, maxMalicious: ${String(c)} }`;
  for (const { id, csv } of scenario.silos)
    await writeFile(
      founded.agentConfig(id),
      `silo: ${id}
consortium: ${CONSORTIUM}
state: state/${id}
coordinator: { address: "localhost:${String(port)}" }
tls: { bundle: secrets/${id}.tls.pem, ca: ca/ca.pem }
keys: { signing: secrets/${id}.key, cosigning: secrets/${id}.cosigning.key, storage: secrets/${id}.storage.key }
roster: { file: roster.bin, hash: "${founded.rosterHash}" }
policy: ${policy}
dataSets:
  ${scenario.dataSet}:
    query: SELECT * FROM '${csv}'
    directories: [${dirname(csv)}]
`,
    );
  for (const [name, path] of [
    [OPERATOR, founded.operatorConfig],
    [AUDITOR, founded.auditorConfig],
  ] as const)
    await writeFile(
      path,
      `consortium: ${CONSORTIUM}
coordinator: { address: "localhost:${String(port)}" }
tls: { bundle: secrets/${name}.tls.pem, ca: ca/ca.pem }
${name === OPERATOR ? `keys: { signing: secrets/${name}.key }\n` : ''}roster: { file: roster.bin, hash: "${founded.rosterHash}" }
`,
    );
}

// A consortium on disk without a single program run: authority, certificates, keys, roster, records and configurations.

import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hex, unixMs } from '../../../src/base/index.js';
import {
  createAuthority,
  createSigningKey,
  issueWithNewKey,
  openAuthority,
  writeBundle,
} from '../../../src/pki/index.js';
import type { Authority, Identity } from '../../../src/pki/index.js';
import { readRoster, type Roster } from '../../../src/protocol/index.js';
import { encode, Roster as RosterMessage } from '../../../src/wire/index.js';
import { csvOf, DATA_SET, patients, type Row } from './records.js';

export const CONSORTIUM = 'north';
export const OPERATOR = 'olga';
const DAY_MS = 86_400_000;
const rng = { bytes: (length: number) => randomBytes(length) };

export interface FoundingOptions {
  readonly silos?: number;
  readonly rows?: number;
}

export interface Founded {
  readonly folder: string;
  readonly silos: readonly string[];
  readonly roster: Roster;
  readonly authority: Authority;
  readonly authorityPem: string;
  readonly tables: ReadonlyMap<string, readonly Row[]>;
  readonly at: (...path: string[]) => string;
}

/** A fresh authority of this or another consortium, written as `<name>.pem` for those who trust it. */
export async function makeAuthority(
  folder: string,
  name: string,
  consortium = CONSORTIUM,
): Promise<{ authority: Authority; pem: string }> {
  const files = await createAuthority({ consortium, lifetimeMs: 10 * DAY_MS, now: unixMs(Date.now()), rng });
  await writeFile(join(folder, `${name}.pem`), files.certificatePem);
  return { authority: await openAuthority(files), pem: files.certificatePem };
}

/** A certificate with its key in one bundle file. */
export async function issueBundle(
  authority: Authority,
  authorityPem: string,
  identity: Identity,
  path: string,
): Promise<void> {
  const issued = await issueWithNewKey(authority, {
    identity,
    lifetimeMs: DAY_MS,
    now: unixMs(Date.now()),
    rng,
    ...(identity.role === 'coordinator' ? { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] } : {}),
  });
  await writeBundle(path, { ...issued, authorityPem });
}

export async function found({ silos: count = 4, rows = 60 }: FoundingOptions = {}): Promise<Founded> {
  const folder = await mkdtemp(join(tmpdir(), 'veilsum-e2e-'));
  const at = (...path: string[]): string => join(folder, ...path);
  await mkdir(at('records'));
  await mkdir(at('logs'));
  const silos = Array.from({ length: count }, (_, i) => `hospital-${'abcdefgh'[i]!}`);
  const { authority, pem } = await makeAuthority(folder, 'ca');
  const bundles: [Identity['role'], string][] = [
    ['coordinator', 'coordinator'],
    ['operator', OPERATOR],
    ...silos.map((silo): [Identity['role'], string] => ['silo', silo]),
  ];
  for (const [role, id] of bundles) await issueBundle(authority, pem, { role, id }, at(`${id}.tls.pem`));
  const key = async (name: string): Promise<Uint8Array> => (await createSigningKey(at(`${name}.key`))).publicKey;
  const members = [];
  for (const silo of silos)
    members.push({
      siloId: silo,
      signingKey: await key(silo),
      cosigningKey: await key(`${silo}.cosigning`),
      tlsIdentityUri: `spiffe://${CONSORTIUM}/silo/${silo}`,
      organisation: silo,
      validFromUnixMs: 0n,
      validUntilUnixMs: 4_102_444_800_000n,
    });
  const bytes = encode(RosterMessage, {
    version: 1,
    consortiumId: CONSORTIUM,
    epoch: 0n,
    previousRosterHash: new Uint8Array(),
    operators: [{ id: OPERATOR, signingKey: await key(OPERATOR) }],
    auditors: [],
    members,
    coordinatorKey: await key('coordinator'),
    logKey: await key('log'),
    governance: { successorQuorum: Math.floor((2 * count) / 3) + 1 },
  });
  await writeFile(at('roster.bin'), bytes);
  const tables = new Map<string, readonly Row[]>();
  for (const [i, silo] of silos.entries()) {
    const table = patients(rows + i, i + 1);
    tables.set(silo, table);
    await writeFile(at('records', `${silo}.csv`), csvOf(table));
  }
  return { folder, silos, roster: readRoster(bytes), authority, authorityPem: pem, tables, at };
}

/** `listen`: port 0 at first, and the one that was given from then on. */
export function coordinatorYaml(port: number, extra = ''): string {
  return `consortium: ${CONSORTIUM}
state: state/coordinator
listen: 127.0.0.1:${port}
tls: { bundle: coordinator.tls.pem, ca: ca.pem }
keys: { signing: coordinator.key, log: log.key, storage: coordinator.storage.key }
roster: { file: roster.bin }
log: { file: logs/coordinator.log }
${extra}`;
}

export interface AgentSettings {
  readonly port: number;
  /** Silo in the configuration; also the name of its state folder, keys and log unless stated otherwise. */
  readonly silo: string;
  readonly name?: string;
  readonly bundle?: string;
  readonly ca?: string;
  readonly key?: string;
  /** Queries by data set, beside the silo's own table under DATA_SET. */
  readonly queries?: Readonly<Record<string, string>>;
  /** The complete graph unless stated. */
  readonly graph?: 'complete' | 'regular';
  readonly extra?: string;
}

export function agentYaml({ folder, roster }: Founded, settings: AgentSettings): string {
  const { port, silo, name = silo, bundle = `${silo}.tls.pem`, ca = 'ca.pem', key = `${silo}.key` } = settings;
  const { graph = 'complete', extra = '' } = settings;
  const queries = { [DATA_SET]: `SELECT * FROM '${folder}/records/${silo}.csv'`, ...settings.queries };
  return `silo: ${silo}
consortium: ${CONSORTIUM}
state: state/${name}
coordinator: { address: "localhost:${port}" }
tls: { bundle: ${bundle}, ca: ${ca} }
keys: { signing: ${key}, cosigning: ${silo}.cosigning.key, storage: ${name}.storage.key }
roster: { file: roster.bin, hash: "${hex(roster.hash)}" }
policy: { minCohort: 3, minHonest: 2, maxMalicious: 0, allowSmallCohort: true, graph: ${graph} }
dataSets:
${Object.entries(queries)
  .map(([name, query]) => `  ${name}: { query: ${JSON.stringify(query)}, directories: [records] }`)
  .join('\n')}
log: { file: logs/${name}.log }
${extra}`;
}

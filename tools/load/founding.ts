// A consortium of any size on disk, made in this process: authority, certificates, keys, roster, configurations, and the job.

import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hex, unixMs } from '../../src/base/index.js';
import { hash, LABELS, sha256, SigningKey } from '../../src/crypto/index.js';
import { buildManifest, firstModel, type TrainingJobFile } from '../../src/job/index.js';
import {
  createAuthority,
  createSigningKey,
  issueWithNewKey,
  openAuthority,
  readSigningKey,
  writeBundle,
  type Identity,
} from '../../src/pki/index.js';
import { defaultMalicious, readRoster, seal } from '../../src/protocol/index.js';
import { encode, JobManifest, Roster, type Envelope } from '../../src/wire/index.js';
import { FEATURES, modelOf, ROWS } from './model.js';

const CONSORTIUM = 'load';
export const OPERATOR = 'olga';
export const JOB = 'load';
const DATA_SET = 'invented';
const LIFETIME_MS = 2 * 86_400_000;
const rng = { bytes: (length: number) => randomBytes(length) };
const UNTIL = 4_102_444_800_000n;
/** Two hundred agents on two cores stand still for longer than machines of their own would. */
const PATIENCE_SECONDS = 600;

/** Who masks with whom, and how many the job assumes to collude. */
export interface Masking {
  readonly malicious: number;
  /** Of a regular graph: how many may be absent; the complete one unless given. */
  readonly absent: number | undefined;
}

/** What a job has that says nothing of either. */
export function usualMasking(silos: number): Masking {
  return { malicious: defaultMalicious(silos), absent: undefined };
}

export interface Founded {
  readonly silos: readonly string[];
  readonly rosterHash: Uint8Array;
  readonly at: (...path: string[]) => string;
}

export async function found(folder: string, count: number): Promise<Founded> {
  const at = (...path: string[]): string => join(folder, ...path);
  for (const place of ['secrets', 'logs', 'records']) await mkdir(at(place), { recursive: true });
  const silos = Array.from({ length: count }, (_, k) => `silo-${String(k + 1).padStart(3, '0')}`);
  const files = await createAuthority({
    consortium: CONSORTIUM,
    lifetimeMs: LIFETIME_MS,
    now: unixMs(Date.now()),
    rng,
  });
  await writeFile(at('ca.pem'), files.certificatePem);
  const authority = await openAuthority(files);
  const identities: Identity[] = [
    { role: 'coordinator', id: 'coordinator' },
    { role: 'operator', id: OPERATOR },
    ...silos.map((id) => ({ role: 'silo' as const, id })),
  ];
  const keys = new Map<string, Uint8Array>();
  for (const identity of identities) {
    const issued = await issueWithNewKey(authority, {
      identity,
      lifetimeMs: LIFETIME_MS / 2,
      now: unixMs(Date.now()),
      rng,
      ...(identity.role === 'coordinator' ? { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] } : {}),
    });
    const { id } = identity;
    await writeBundle(at('secrets', `${id}.tls.pem`), { ...issued, authorityPem: files.certificatePem });
    for (const name of [id, `${id}.cosigning`])
      keys.set(name, (await createSigningKey(at('secrets', `${name}.key`))).publicKey);
  }
  keys.set('log', (await createSigningKey(at('secrets', 'log.key'))).publicKey);
  const key = (id: string): Uint8Array => keys.get(id) ?? new Uint8Array();
  const roster = encode(Roster, {
    version: 1,
    consortiumId: CONSORTIUM,
    epoch: 0n,
    previousRosterHash: new Uint8Array(),
    operators: [{ id: OPERATOR, signingKey: key(OPERATOR) }],
    auditors: [],
    members: silos.map((siloId) => ({
      siloId,
      signingKey: key(siloId),
      cosigningKey: key(`${siloId}.cosigning`),
      tlsIdentityUri: `spiffe://${CONSORTIUM}/silo/${siloId}`,
      organisation: siloId,
      validFromUnixMs: 0n,
      validUntilUnixMs: UNTIL,
    })),
    coordinatorKey: key('coordinator'),
    logKey: key('log'),
    governance: { successorQuorum: Math.floor((2 * count) / 3) + 1 },
  });
  await writeFile(at('roster.bin'), roster);
  await writeFile(
    at('coordinator.yaml'),
    `consortium: ${CONSORTIUM}
state: state/coordinator
listen: 127.0.0.1:0
tls: { bundle: secrets/coordinator.tls.pem, ca: ca.pem }
connection: { patienceSeconds: ${String(PATIENCE_SECONDS)} }
keys: { signing: secrets/coordinator.key, log: secrets/log.key, storage: secrets/coordinator.storage.key }
roster: { file: roster.bin }
log: { file: logs/coordinator.log }
`,
  );
  return { silos, rosterHash: readRoster(roster).hash, at };
}

/** What the programs need to know once the coordinator listens. */
export async function writeConfigs(
  { silos, rosterHash, at }: Founded,
  port: number,
  logs: 'files' | 'standard error' = 'files',
  { malicious, absent }: Masking = usualMasking(silos.length),
): Promise<void> {
  const common = (id: string): string => `consortium: ${CONSORTIUM}
coordinator: { address: "localhost:${String(port)}" }
tls: { bundle: secrets/${id}.tls.pem, ca: ca.pem }
roster: { file: roster.bin, hash: "${hex(rosterHash)}" }
`;
  await writeFile(at('operator.yaml'), `${common(OPERATOR)}keys: { signing: secrets/${OPERATOR}.key }\n`);
  for (const silo of silos)
    await writeFile(
      at(`${silo}.yaml`),
      `silo: ${silo}
${common(silo)}state: state/${silo}
connection: { patienceSeconds: ${String(PATIENCE_SECONDS)} }
keys: { signing: secrets/${silo}.key, cosigning: secrets/${silo}.cosigning.key, storage: secrets/${silo}.storage.key }
policy:
  minCohort: 3
  minHonest: 2
  maxMalicious: ${String(malicious)}
  graph: ${absent === undefined ? 'complete' : 'regular'}
  allowSmallCohort: true
  roundsPerDay: 100000
  maxModelBytes: ${String(500 * 1024 ** 2)}
  maxParameters: 100000000
dataSets:
  ${DATA_SET}: { query: "SELECT 1", directories: [records] }
${logs === 'files' ? `log: { file: logs/${silo}.log }\n` : ''}`,
    );
}

/** The model and the signed manifest of a job of `rounds` rounds over all silos. */
export async function makeJob(
  { silos, rosterHash, at }: Founded,
  { dimension, rounds, modulusBits }: { dimension: number; rounds: number; modulusBits: number | undefined },
  { malicious, absent }: Masking,
): Promise<{
  readonly model: Uint8Array;
  readonly parameters: number;
  /** m. */
  readonly bits: number;
  readonly manifest: Envelope;
}> {
  const { onnx, parameters } = modelOf(dimension);
  // Two shared cores do the work of all silos: nobody is given up for being slow.
  const patience = 3_600_000;
  const file: TrainingJobFile = {
    kind: 'train',
    job: JOB,
    description: 'a load test',
    silos,
    maxMalicious: malicious,
    // A regular graph saves something in cohorts of one size and not in all smaller ones.
    minCohort: absent === undefined ? 3 : silos.length,
    graph: absent === undefined ? undefined : { kind: 'regular', absent },
    modulusBits,
    timeouts: {
      advertiseMs: patience,
      shareMs: patience,
      maskMs: patience,
      confirmMs: patience,
      unmaskMs: patience,
      absentAfterMs: 300_000,
      graceMs: 60_000,
    },
    data: {
      dataSet: DATA_SET,
      features: Array.from({ length: FEATURES }, (_, k) => ({
        column: `x${String(k)}`,
        unit: '1',
        minimum: 0,
        maximum: 1,
      })),
      missing: 'refuse',
      minRows: 1,
      maxRows: ROWS,
      target: { kind: 'binary', column: 'y' },
    },
    model: { file: 'model.onnx' },
    training: {
      loss: { kind: 'binary-cross-entropy', classWeights: [] },
      optimiser: { kind: 'sgd', learningRate: 0.1, momentum: 0 },
      batchSize: 32,
      localWork: { kind: 'epochs', epochs: 1 },
      clip: 1,
      weightRows: ROWS,
    },
    evaluation: { holdoutFraction: 0, histogramBins: 10 },
    rounds,
  };
  const first = firstModel(onnx, undefined, sha256);
  const manifest = buildManifest(file, {
    rosterHash,
    initialModelHash: hash(LABELS.model, first.state),
    model: { blob: { sha256: sha256(onnx), size: BigInt(onnx.length) }, parameterCount: parameters },
  });
  const { seed } = await readSigningKey(at('secrets', `${OPERATOR}.key`));
  const envelope = seal(SigningKey.from(seed), `operator/${OPERATOR}`, 'manifest', JobManifest, manifest);
  return { model: onnx, parameters, bits: manifest.modulusBits, manifest: envelope };
}

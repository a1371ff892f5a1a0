// A consortium with keys made from small seeds: the same bytes in every run.

import { asSiloId, utf8, type SiloId } from '../../../src/base/index.js';
import { hash, LABELS, SecretBytes, sha256, SigningKey } from '../../../src/crypto/index.js';
import { readRoster, seal, type Roster, type SiloPolicy } from '../../../src/protocol/index.js';
import {
  encode,
  JobKind,
  JobManifest,
  Roster as RosterMessage,
  Visibility,
  type Envelope,
  type Segment,
} from '../../../src/wire/index.js';

export function keyFrom(name: string): SigningKey {
  return SigningKey.from(SecretBytes.of(sha256(utf8(`test key ${name}`))));
}

/** 32 bytes that look random and are the same in every run. */
export function seedFrom(name: string): Uint8Array {
  return sha256(utf8(`test seed ${name}`));
}

export function siloNames(n: number): SiloId[] {
  return Array.from({ length: n }, (_, i) => asSiloId(`silo-${String(i).padStart(3, '0')}`)!);
}

export interface Founded {
  readonly roster: Roster;
  readonly rosterBytes: Uint8Array;
  readonly silos: readonly SiloId[];
  readonly coordinatorKey: SigningKey;
  readonly operatorKey: SigningKey;
  readonly keyOf: (silo: SiloId) => SigningKey;
  readonly cosigningKeyOf: (silo: SiloId) => SigningKey;
  /** Undefined where the consortium keeps no transparency log. */
  readonly logKey: SigningKey | undefined;
}

export function found(n: number, { log = false }: { readonly log?: boolean } = {}): Founded {
  const silos = siloNames(n);
  const logKey = log ? keyFrom('log') : undefined;
  const logged = logKey === undefined ? {} : { logKey: logKey.publicKey };
  const rosterBytes = encode(RosterMessage, { ...rosterOf(silos), ...logged });
  return {
    roster: readRoster(rosterBytes),
    rosterBytes,
    silos,
    coordinatorKey: keyFrom('coordinator'),
    operatorKey: keyFrom('operator/olga'),
    keyOf: (silo) => keyFrom(silo),
    cosigningKeyOf: (silo) => keyFrom(`cosigning ${silo}`),
    logKey,
  };
}

export function rosterOf(silos: readonly SiloId[]): RosterMessage {
  return {
    version: 1,
    consortiumId: 'test',
    epoch: 0n,
    previousRosterHash: new Uint8Array(),
    operators: [{ id: 'olga', signingKey: keyFrom('operator/olga').publicKey }],
    auditors: [{ id: 'ada', signingKey: keyFrom('auditor/ada').publicKey }],
    members: silos.map((siloId) => ({
      siloId,
      signingKey: keyFrom(siloId).publicKey,
      cosigningKey: keyFrom(`cosigning ${siloId}`).publicKey,
      tlsIdentityUri: `spiffe://test/silo/${siloId}`,
      organisation: `Hospital ${siloId}`,
      validFromUnixMs: 0n,
      validUntilUnixMs: 4_102_444_800_000n,
    })),
    coordinatorKey: keyFrom('coordinator').publicKey,
    logKey: new Uint8Array(),
    governance: { successorQuorum: Math.floor((2 * silos.length) / 3) + 1 },
  };
}

/** Base of the inputs: silo i puts BASE^(i mod 10) into coordinate floor(i / 10), so a wrong sum names the silo. */
export const BASE = 8;

export function powerSegment(n: number): Segment {
  return {
    name: 'powers',
    length: BigInt(Math.ceil(n / 10)),
    quantiser: { $case: 'integer', value: { max: BigInt(BASE ** 9) } },
    visibility: Visibility.VISIBILITY_PUBLIC,
    coarseStep: 0n,
  };
}

export function manifestOf(founded: Founded, changes: Partial<JobManifest> = {}): JobManifest {
  return {
    version: 1,
    jobId: 'job-1',
    rosterHash: founded.roster.hash,
    kind: JobKind.JOB_KIND_TRAIN,
    silos: [...founded.silos],
    maxMalicious: 1,
    minCohort: 3,
    forwardModel: undefined,
    initialModelHash: hash(LABELS.model, utf8('first')),
    recipe: new Uint8Array(),
    updateRule: new Uint8Array(),
    layout: { segments: [powerSegment(founded.silos.length)] },
    modulusBits: 32,
    privacy: { epsilon: 0, delta: 0 },
    roundLimit: 3,
    dataContract: new Uint8Array(),
    fullVerification: true,
    timeouts: {
      advertiseMs: 10_000,
      shareMs: 10_000,
      maskMs: 60_000,
      confirmMs: 10_000,
      unmaskMs: 10_000,
      absentAfterMs: 3_000,
      graceMs: 2_000,
    },
    rejectedRoundsLimit: 2,
    acceptance: { minWeight: 0, maxMeanNorm: 0 },
    standardiseBy: undefined,
    description: 'a sum for tests',
    reopenedKeys: [],
    train: [],
    local: [],
    closingLayout: undefined,
    noise: undefined,
    graph: undefined,
    unitNoise: undefined,
    ...changes,
  };
}

export function signManifest(founded: Founded, manifest: JobManifest): Envelope {
  return seal(founded.operatorKey, 'operator/olga', 'manifest', JobManifest, manifest);
}

export const openPolicy: SiloPolicy = { minCohort: 3, minHonest: 2, maxMalicious: 0, roundsPerDay: 1000 };

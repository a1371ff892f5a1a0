// From a job file to a signed manifest: everything that the file leaves open is computed here from bytes that were checked.

import { LIMITS } from '../src/base/index.js';
import { hash, LABELS, sha256 } from '../src/crypto/index.js';
import { buildManifest, firstModel, NO_MODEL_STATE, type JobFile, type ManifestFacts } from '../src/job/index.js';
import { readSmallFile } from '../src/system/index.js';
import { openManifest, seal, type Manifest } from '../src/protocol/index.js';
import { JobManifest, type BlobRef } from '../src/wire/index.js';
import { fetchStatistics } from './checked-statistics.js';
import { AuditError } from './errors.js';
import { readOperatorKey } from './operator-key.js';
import type { Session } from './session.js';

export interface NewJob {
  readonly manifest: Manifest;
  /** The forward model as it was exported; undefined for statistics. */
  readonly model:
    | {
        readonly blob: BlobRef;
        readonly bytes: Uint8Array;
        readonly parameterCount: number;
        readonly statisticCount: number;
      }
    | undefined;
}

/** `modelPath`: instead of the one that the job file names. Equal files give equal manifests, so doing it again is the same job. */
export async function makeJob(session: Session, file: JobFile, modelPath: string | undefined): Promise<NewJob> {
  const { roster, officer } = session;
  const signingKey = await readOperatorKey(session);
  const unknown = file.silos.filter((silo) => ![...roster.members.keys()].some((member) => member === silo));
  if (unknown.length > 0)
    throw new AuditError(
      'audit/unknown-silos',
      `the job file names ${unknown.join(', ')}; the pinned roster has ${[...roster.members.keys()].join(', ')}.`,
    );
  const { facts, model } = await factsOf(session, file, modelPath);
  const message = buildManifest(file, facts);
  const envelope = seal(signingKey, `operator/${officer.id}`, 'manifest', JobManifest, message);
  // What every silo will check first.
  return { manifest: openManifest(roster, envelope), model };
}

async function factsOf(
  session: Session,
  file: JobFile,
  modelPath: string | undefined,
): Promise<{ facts: ManifestFacts; model: NewJob['model'] }> {
  const rosterHash = session.roster.hash;
  if (file.kind === 'statistics') {
    if (modelPath !== undefined)
      throw new AuditError(
        'audit/model-option',
        `job "${file.job}" computes statistics, and --model ${modelPath} is given.`,
      );
    return { facts: { rosterHash, initialModelHash: hash(LABELS.model, NO_MODEL_STATE) }, model: undefined };
  }
  const bytes = await readSmallFile(modelPath ?? file.model.file, LIMITS.modelBytes);
  const { standardiseBy } = file.model;
  const checked =
    standardiseBy === undefined ? undefined : await fetchStatistics(session, standardiseBy, file.data.features);
  const first = firstModel(bytes, checked?.statistics, sha256, file.model);
  const model = {
    blob: { sha256: sha256(bytes), size: BigInt(bytes.length) },
    bytes,
    parameterCount: first.model.parameterCount,
    statisticCount: first.model.statisticCount,
  };
  const initialModelHash = hash(LABELS.model, first.state);
  return { facts: { rosterHash, initialModelHash, model, statisticsResultHash: checked?.resultHash }, model };
}

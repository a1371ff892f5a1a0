// Whether an exported model is the one that the silos computed and acknowledged: the state hash of the last result follows from the
// forward model, its standardisation and the exported parameters, and from nothing else.

import { equalBytes } from '../src/base/index.js';
import { hash, LABELS, sha256 } from '../src/crypto/index.js';
import { decodeModelState, encodeModelState, firstModel, JobError, parseJob, type Job } from '../src/job/index.js';
import { ModelError, parametersIn, withParameters, type ForwardModel } from '../src/model/index.js';
import { lastRound, type Manifest } from '../src/protocol/index.js';
import { gather } from './gather.js';
import { badAnswer, fetchCheckedRound, type CheckedRound } from './checked-round.js';
import { fetchStatistics } from './checked-statistics.js';
import { AuditError } from './errors.js';
import type { Session } from './session.js';

/**
 * Throws AuditError `audit/bad-answer` unless `exported` is `forward` with the parameters of the last acknowledged result. Returns the
 * round whose result it is.
 */
export async function demandModel(
  session: Session,
  manifest: Manifest,
  forward: Uint8Array,
  exported: Uint8Array,
): Promise<CheckedRound> {
  const { forwardModel, standardiseBy } = manifest.message;
  if (forwardModel === undefined || !equalBytes(sha256(forward), forwardModel.sha256))
    throw new AuditError(
      'audit/other-model',
      `the given model is not the one that job "${manifest.jobId}" was made with.`,
    );
  const job = parseJob(manifest.message);
  const { contract } = job;
  const checked =
    standardiseBy === undefined ? undefined : await fetchStatistics(session, standardiseBy.jobId, contract.features);
  if (standardiseBy !== undefined && checked !== undefined && !equalBytes(checked.resultHash, standardiseBy.resultHash))
    throw badAnswer(`job "${standardiseBy.jobId}" has another result than the one that the manifest names.`);
  const first = firstModel(forward, checked?.statistics, sha256, manifest.message);
  const round = await lastResult(session, manifest);
  const parameters = parametersOf(first.model, exported);
  // Everything but the parameters must be the forward model's, byte for byte.
  if (!equalBytes(withParameters(first.model, parameters), exported))
    throw badAnswer('the exported file differs from the forward model in more than its parameters.');
  const updateState = remembers(job) ? await fetchMemory(session, manifest, parameters.length) : new Uint8Array();
  const state = encodeModelState({ modelSha256: sha256(first.onnx), parameters, updateState });
  if (!equalBytes(hash(LABELS.model, state), round.result.newModelHash))
    throw badAnswer('the exported parameters are not those that the silos have acknowledged.');
  return round;
}

/** Whether anything but the parameters is in the state of a model. */
function remembers(job: Job): boolean {
  return (
    job.kind === 'train' &&
    (job.update.kind !== 'fed-avg' || job.recipe.method.kind === 'scaffold' || job.recipe.earlyStopping !== undefined)
  );
}

/** Float64 vectors of a state, at most: those of the rule and a control variate. */
const MEMORY_VECTORS = 4;

/** The memory of the update rule, as the coordinator tells it: the acknowledged hash says whether it is true. */
async function fetchMemory({ client }: Session, { jobId }: Manifest, parameters: number): Promise<Uint8Array> {
  const most = 1024 + parameters * (4 + 8 * MEMORY_VECTORS);
  const bytes = await gather(client.exportModel({ jobId, state: true }), most);
  try {
    return decodeModelState(bytes ?? new Uint8Array()).updateState;
  } catch (cause) {
    if (cause instanceof JobError) throw badAnswer(`what came is no state of a model: ${cause.message}`);
    throw cause;
  }
}

function parametersOf(model: ForwardModel, exported: Uint8Array): Float32Array {
  try {
    return parametersIn(model, exported);
  } catch (cause) {
    if (cause instanceof ModelError) throw badAnswer(`what came is no model: ${cause.message}`);
    throw cause;
  }
}

/** Abandoned rounds leave the model as it was, so the last result says what it is. */
async function lastResult({ client, roster }: Session, manifest: Manifest): Promise<CheckedRound> {
  const { job } = await client.getJob({ jobId: manifest.jobId });
  for (let round = Math.min(job?.roundsDone ?? 0, lastRound(manifest)); round >= 1; round--) {
    const { result } = await client.getRound({ jobId: manifest.jobId, round });
    if (result !== undefined) return fetchCheckedRound(client, roster, manifest, round);
  }
  throw new AuditError('audit/no-result', `no round of job "${manifest.jobId}" has a result yet.`);
}

// After a job is approved: fetch its model, check it against this silo's policy, derive the layout, and compute the first model state
// itself. What this returns must equal what the manifest says, or the silo does not take part.

import { equalBytes, hex } from '../src/base/index.js';
import type { AgentConfig } from '../src/config/index.js';
import { hash, LABELS, sha256 } from '../src/crypto/index.js';
import {
  checkLayout,
  checkPrivacy,
  firstModel,
  NO_MODEL_STATE,
  parseJob,
  readStatistics,
  type ColumnStatistics,
  type FirstModel,
} from '../src/job/index.js';
import type { Manifest, SiloState } from '../src/protocol/index.js';
import type { SiloClient } from '../src/transport/index.js';
import { JobKind } from '../src/wire/index.js';
import { AgentError } from './errors.js';
import type { Store } from './store.js';

/** What the rounds of a job need; kept while the job runs. */
export interface PreparedJob {
  readonly first: FirstModel | undefined;
  readonly modelHash: Uint8Array;
}

export async function prepareJob(
  config: AgentConfig,
  store: Store,
  state: SiloState,
  client: Pick<SiloClient, 'getBlob'>,
  manifest: Manifest,
): Promise<PreparedJob> {
  const { message } = manifest;
  const job = parseJob(message);
  if (!(job.contract.dataSet in config.dataSets))
    throw new AgentError(
      'agent/no-data-set',
      `job "${manifest.jobId}" wants the data set "${job.contract.dataSet}", configured are ${Object.keys(config.dataSets).join(', ') || 'none'}.`,
    );
  const first =
    message.kind === JobKind.JOB_KIND_STATISTICS ? undefined : await fetchFirst(config, store, state, client, manifest);
  const differences = checkLayout(message, first?.model);
  if (differences.length > 0) {
    const list = differences.map((one) => `${one.segment}: ${one.difference}`).join('; ');
    throw new AgentError(
      'agent/bad-layout',
      `the layout of job "${manifest.jobId}" is not the one that follows from it: ${list}.`,
    );
  }
  checkPrivacy(message);
  const firstState = first?.state ?? NO_MODEL_STATE;
  const modelHash = hash(LABELS.model, firstState);
  if (first !== undefined) await store.models.put(hex(modelHash), firstState);
  return { first, modelHash };
}

/** The forward model, from the state folder or the coordinator, and what round 1 starts from. */
export async function fetchFirst(
  config: AgentConfig,
  store: Store,
  state: SiloState,
  client: Pick<SiloClient, 'getBlob'>,
  manifest: Manifest,
): Promise<FirstModel> {
  const { forwardModel, standardiseBy } = manifest.message;
  if (forwardModel === undefined)
    throw new AgentError('agent/no-model-state', `job "${manifest.jobId}" names no model.`);
  const { maxModelBytes, maxParameters } = config.policy;
  if (forwardModel.size > BigInt(maxModelBytes))
    throw new AgentError(
      'agent/model-too-large',
      `the model has ${String(forwardModel.size)} bytes, policy.maxModelBytes is ${String(maxModelBytes)}.`,
    );
  const name = hex(forwardModel.sha256);
  if (!(await store.blobs.has(name))) await store.blobs.put(name, client.getBlob(forwardModel));
  const bytes = await store.blobs.read(name, 0, Number(forwardModel.size));
  const statistics =
    standardiseBy === undefined
      ? undefined
      : await statisticsOf(store, state, standardiseBy.jobId, standardiseBy.resultHash);
  const first = firstModel(bytes, statistics, sha256, manifest.message);
  const parameters = first.local?.wholeCount ?? first.model.parameterCount;
  if (parameters > maxParameters)
    throw new AgentError(
      'agent/model-too-large',
      `the model has ${String(parameters)} parameters, policy.maxParameters is ${String(maxParameters)}.`,
    );
  return first;
}

/** Key of the table under which the opened sum of a verified statistics job stands: its SHA-256 and |U3|. */
export function statisticsKey(jobId: string): string {
  return `statistics/${jobId}`;
}

/** Means and deviations from a statistics job that this silo has verified and acknowledged itself. */
async function statisticsOf(
  store: Store,
  state: SiloState,
  jobId: string,
  resultHash: Uint8Array,
): Promise<ColumnStatistics> {
  const job = [...state.jobs.values()].find((one) => one.manifest.jobId === jobId);
  const kept = store.journal.get(statisticsKey(jobId));
  if (
    job === undefined ||
    kept === undefined ||
    job.closedRound !== 1 ||
    !equalBytes(job.previousResultHash, resultHash)
  )
    throw new AgentError(
      'agent/no-statistics',
      `this silo has not verified a result ${hex(resultHash)} of the statistics job "${jobId}".`,
    );
  const name = hex(kept.subarray(0, 32));
  const survivors = ((kept[32] ?? 0) << 8) | (kept[33] ?? 0);
  const bytes = await store.blobs.read(name, 0, 4 * job.manifest.layout.length);
  const values = new Int32Array(bytes.slice().buffer);
  const { contract } = parseJob(job.manifest.message);
  return readStatistics({ layout: job.manifest.layout, values }, contract, survivors);
}

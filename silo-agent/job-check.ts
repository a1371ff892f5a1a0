// For doctor: could the jobs that were offered run here? What the configuration says to each, and whether its model is one that this
// machine trains, before anybody approves it. Changes nothing; a model that is not here yet is fetched into memory.

import { readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { equalBytes, hex, isCodedError } from '../src/base/index.js';
import type { AgentConfig } from '../src/config/index.js';
import { sha256 } from '../src/crypto/index.js';
import { parseJob } from '../src/job/index.js';
import { readProxy } from '../src/network/index.js';
import { TlsFiles } from '../src/pki/index.js';
import type { Manifest } from '../src/protocol/index.js';
import { systemClock, systemRng } from '../src/system/index.js';
import { inspectModel, type Inspection } from '../src/trainer/index.js';
import { connectSilo } from '../src/transport/index.js';
import { failed, type Finding, ok, warning } from '../src/upkeep/index.js';
import type { BlobRef } from '../src/wire/index.js';
import { AGENT_ERRORS } from './errors.js';
import { Offers } from './offers.js';
import { refusalsOf } from './refusals.js';
import { AGENT_VERSION, loadPresentSelf } from './start.js';

const MiB = 1024 * 1024;
const FETCH_MS = 30_000;
const REFUSE = 'Refuse the job, and tell its operator: `veilsum-audit model inspect` shows the same there.';
const EXPLAIN = (job: string): string =>
  `\`veilsum-agent policy explain ${job}\` says it in full: change the limit it names, or refuse the job.`;

/** One finding for each job that is not refused, by its name. */
export async function checkJobs(config: AgentConfig): Promise<Finding[]> {
  if (!existsSync(join(config.state, 'offers'))) return [ok('jobs', 'none has been offered yet')];
  const { roster } = await loadPresentSelf(config);
  const offers = await Offers.open(config.state);
  const findings: Finding[] = [];
  for (const manifest of await offers.list(roster)) {
    const decision = await offers.decisionOn(manifest.hash);
    if (decision?.approved === false) continue;
    findings.push(await checkJob(config, manifest, decision === undefined ? 'waits for a decision' : 'is approved'));
  }
  return findings.length === 0 ? [ok('jobs', 'none waits or is approved')] : findings;
}

async function checkJob(config: AgentConfig, manifest: Manifest, standing: string): Promise<Finding> {
  const check = `job ${manifest.jobId}`;
  const [refusal] = refusalsOf(config, manifest);
  if (refusal !== undefined) return failed(check, `${standing}; ${refusal}`, EXPLAIN(manifest.jobId));
  const { forwardModel } = manifest.message;
  if (forwardModel === undefined) return ok(check, `${standing}; it computes statistics, without a model`);
  const { maxModelBytes, maxParameters } = config.policy;
  if (forwardModel.size > BigInt(maxModelBytes))
    return tooLarge(
      check,
      `its model has ${String(forwardModel.size)} bytes, policy.maxModelBytes is ${String(maxModelBytes)}`,
    );
  let bytes: Uint8Array;
  try {
    bytes = await modelOf(config, forwardModel);
  } catch (error) {
    if (!isCodedError(error)) throw error;
    const remedy =
      'Mend the connection first (see above), or ask the consortium to start the coordinator; then run doctor again.';
    return warning(check, `${standing}; its model is not here and cannot be fetched: ${error.code}`, remedy);
  }
  if (!equalBytes(sha256(bytes), forwardModel.sha256))
    return failed(
      check,
      `${standing}; its model here is not the one that the manifest names`,
      `Stop the agent and run fsck; the file is blobs/${hex(forwardModel.sha256).slice(0, 16)}….`,
    );
  const { train } = manifest.message;
  const job = parseJob(manifest.message);
  if (job.kind === 'statistics') return ok(check, standing);
  const { batchSize, loss } = job.recipe;
  const found = await inspectModel(bytes, { batchSize, ...(train.length === 0 ? {} : { train }) });
  if (!found.accepted)
    return failed(
      check,
      `${standing}; this version cannot train its model: ${found.problems.map(({ place, what }) => `${place}: ${what}`).join('; ')}`,
      REFUSE,
    );
  const misfit = found.losses[loss.kind];
  if (misfit !== undefined)
    return failed(check, `${standing}; the loss ${loss.kind} does not fit its model: ${misfit}`, REFUSE);
  if (found.parameterCount > maxParameters)
    return tooLarge(
      check,
      `its model has ${String(found.parameterCount)} parameters, policy.maxParameters is ${String(maxParameters)}`,
    );
  return ok(check, `${standing}; ${wordsOf(found)}`);
}

function tooLarge(check: string, what: string): Finding {
  return failed(check, `agent/model-too-large: ${what}`, AGENT_ERRORS['agent/model-too-large']);
}

function wordsOf({ parameterCount, operators, memory }: Extract<Inspection, { accepted: true }>): string {
  const need = Math.ceil((memory.vectors + memory.step) / MiB);
  return `its model can be trained here: ${String(parameterCount)} parameters, ${operators.map(({ operator }) => operator).join(', ')}, about ${String(need)} MiB a step`;
}

/** From the state folder, or, where it was not approved yet, from the coordinator. */
async function modelOf(config: AgentConfig, ref: BlobRef): Promise<Uint8Array> {
  const path = join(config.state, 'blobs', hex(ref.sha256));
  if (existsSync(path)) return new Uint8Array(await readFile(path));
  const { coordinator, consortium } = config;
  const tls = await TlsFiles.open(config.tls);
  const client = connectSilo({
    address: coordinator.address,
    serverName: coordinator.serverName,
    proxy: await readProxy(config.proxy),
    tls: tls.current,
    consortium,
    clock: systemClock,
    rng: systemRng,
    agentVersion: AGENT_VERSION,
    limits: { triesMax: 1 },
  });
  try {
    const pieces: Uint8Array[] = [];
    for await (const piece of client.getBlob(ref, AbortSignal.timeout(FETCH_MS))) pieces.push(piece.slice());
    return Buffer.concat(pieces);
  } finally {
    client.close();
  }
}

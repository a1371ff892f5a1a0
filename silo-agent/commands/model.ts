// veilsum-agent model export: the model of a job as this hospital has it, with the parameters that it trained for itself alone.

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { asJobId, hex } from '../../src/base/index.js';
import { readAgentConfig } from '../../src/config/index.js';
import { sha256 } from '../../src/crypto/index.js';
import { decodeModelState, joinParts } from '../../src/job/index.js';
import { readForwardModel, withParameters } from '../../src/model/index.js';
import { SystemError, writeFileDurably } from '../../src/system/index.js';
import { AgentError } from '../errors.js';
import { readOwn } from '../own-state.js';
import { fetchFirst } from '../prepare.js';
import { readSiloState } from '../read-state.js';
import { loadSelf } from '../start.js';
import { openStore } from '../store.js';

interface Options {
  readonly config: string;
  readonly out: string;
  readonly force?: boolean;
}

export function addModel(program: Command): void {
  program
    .command('model')
    .description('models of jobs that this silo has verified')
    .command('export <job>')
    .description('write the model of a job with the parameters that this silo trained for itself; of a stopped agent')
    .requiredOption('--config <file>', 'the configuration of the agent')
    .requiredOption('--out <file>', 'where the ONNX file goes')
    .option('--force', 'replace a file that is already there')
    .action(exportModel);
}

async function exportModel(name: string, { config: path, out, force }: Options): Promise<void> {
  if (force !== true && existsSync(out))
    throw new SystemError('system/exists', `${out} is already there`, {
      remedy: 'Choose another file, or --force to replace it.',
    });
  const config = await readAgentConfig(path);
  const state = await readSiloState(config, await loadSelf(config));
  const jobId = asJobId(name);
  const job = jobId === undefined ? undefined : state.jobs.get(jobId);
  if (job === undefined) throw new AgentError('agent/unknown-job', `no job "${name}" was offered to this silo.`);
  const store = await openStore(config.state, config.keys.storage);
  try {
    const { manifest, modelHash, closedRound } = job;
    const model = hex(modelHash);
    if (manifest.message.forwardModel === undefined || !(await store.models.has(model)))
      throw noModel(`job "${name}" has no model in the state folder`);
    const first = await fetchFirst(config, store, state, NOBODY, manifest);
    const bytes = await store.models.read(model, 0, await store.models.size(model));
    const { parameters } = decodeModelState(bytes);
    const { local } = first;
    const own = local === undefined ? undefined : await readOwn(store, manifest.jobId);
    const { train } = manifest.message;
    const exported =
      local === undefined
        ? withParameters(first.model, parameters)
        : withParameters(
            readForwardModel(first.onnx, train.length === 0 ? {} : { train }),
            joinParts(local, parameters, own?.subarray(own.length - local.localCount) ?? local.initial),
          );
    await writeFileDurably(out, exported, { replace: force === true });
    console.log(`model of job  ${manifest.jobId}, after round ${String(closedRound)}, verified by this silo`);
    if (local !== undefined)
      console.log(
        own === undefined
          ? `local         ${manifest.message.local.join(', ')}: as the job began, this silo was in no applied round`
          : `local         ${manifest.message.local.join(', ')}: this silo's own; whoever gets the file learns them`,
      );
    console.log(`file          ${resolve(out)}`);
    console.log(`SHA-256       ${hex(sha256(exported))}`);
  } finally {
    await store.close();
  }
}

/** What the job needs was fetched when it was prepared. */
const NOBODY = {
  getBlob: (): never => {
    throw noModel(`the forward model is not in the state folder`);
  },
};

function noModel(why: string): AgentError {
  return new AgentError('agent/no-model-state', `${why}.`);
}

// One silo's input to a round: read the records, train or measure, quantise, store. Drawn once for a round and used in all its attempts.

import { hex, u32be, utf8, type Hash } from '../src/base/index.js';
import { quantiseInput, type Computer } from '../src/compute/index.js';
import type { AgentConfig } from '../src/config/index.js';
import { derive, hash, LABELS, sha256, type SecretBytes } from '../src/crypto/index.js';
import type { DataSet, DataSetSource } from '../src/dataset/index.js';
import {
  checkOwnUnits,
  decodeModelState,
  parseJob,
  rotationKey,
  statisticsSegments,
  tablesOf,
  type Contract,
  type Job,
  type ModelState,
  type Recipe,
} from '../src/job/index.js';
import { isClosingRound, layoutOfRound, siloVariance, type Manifest, type Plan } from '../src/protocol/index.js';
import type { Trainer, TrainerOptions } from '../src/trainer/index.js';
import { AgentError } from './errors.js';
import type { PreparedJob } from './prepare.js';
import { learn, type Learned } from './learn.js';
import { layAside, readOwn } from './own-state.js';
import { privateTerms, unitsIn } from './private-terms.js';
import { storedInput, storeInput, type StoredInput } from './input-store.js';
import type { Store } from './store.js';

export interface Contribution extends StoredInput {
  /** For the log: numbers about this silo's own work, which stay in its own log. */
  readonly steps: number;
  readonly droppedRows: number;
}

/** Names the stored input of a round, the same in all its attempts. */
export function inputHashOf({ rid }: Plan): Hash {
  return hash(LABELS.inputKey, utf8('input'), rid);
}

/** What a silo's own work is done with: its records and a trainer for them. */
export interface LocalWork {
  readonly readDataSet: (source: DataSetSource, contract: Contract, scratch: string) => Promise<DataSet>;
  readonly createTrainer: (options: TrainerOptions) => Promise<Pick<Trainer, 'train' | 'evaluate' | 'close'>>;
}

type OwnTrainer = Awaited<ReturnType<LocalWork['createTrainer']>>;

/** DuckDB and ONNX Runtime, loaded when the first round wants them: an agent without a job needs neither. */
const REAL_WORK: LocalWork = {
  readDataSet: async (source, contract, scratch) =>
    (await import('../src/dataset/index.js')).readDataSet(source, contract, scratch),
  createTrainer: async (options) => (await import('../src/trainer/index.js')).createTrainer(options),
};

interface Terms {
  readonly manifest: Manifest;
  readonly plan: Plan;
  readonly job: Job;
  readonly roundSecret: SecretBytes<'round'>;
  readonly prepared: PreparedJob;
  readonly signal: AbortSignal;
}

/** Keeps one trainer, with its thread, for each job that runs. */
export class Contributor {
  readonly #config: AgentConfig;
  readonly #store: Store;
  readonly #computer: Computer;
  readonly #work: LocalWork;
  readonly #trainers = new Map<string, Promise<OwnTrainer>>();

  readonly #warn: (trouble: AgentError) => void;

  constructor(
    { config, store, computer }: { config: AgentConfig; store: Store; computer: Computer },
    warn: (trouble: AgentError) => void,
    work: LocalWork = REAL_WORK,
  ) {
    this.#warn = warn;
    this.#config = config;
    this.#store = store;
    this.#computer = computer;
    this.#work = work;
  }

  /** Throws CodedError `dataset/…`, `trainer/…`, `vector/…`, `agent/…`: the silo then declines the round. */
  async contribute(
    manifest: Manifest,
    plan: Plan,
    roundSecret: SecretBytes<'round'>,
    prepared: PreparedJob,
    signal: AbortSignal,
  ): Promise<Contribution> {
    const inputHash = inputHashOf(plan);
    const stored = await storedInput(this.#store, inputHash);
    if (stored !== undefined) return { ...stored, steps: 0, droppedRows: 0 };
    const job = parseJob(manifest.message);
    const { dataSet } = job.contract;
    const source = this.#config.dataSets[dataSet];
    if (source === undefined)
      throw new AgentError('agent/no-data-set', `the data set "${dataSet}" is not configured here.`);
    const records = await this.#work.readDataSet({ name: dataSet, ...source }, job.contract, this.#config.state);
    try {
      return await this.#fromRecords(records, { manifest, plan, job, roundSecret, prepared, signal });
    } finally {
      records.close?.();
    }
  }

  async #fromRecords(
    records: DataSet,
    { manifest, plan, job, roundSecret, prepared, signal }: Terms,
  ): Promise<Contribution> {
    const { dataSet } = job.contract;
    const inputHash = inputHashOf(plan);
    checkOwnUnits(manifest.message, unitsIn(records));
    const closing = isClosingRound(manifest, plan.round);
    const layout = layoutOfRound(manifest, plan.round);
    const { segments, steps, own, model } =
      job.kind === 'statistics'
        ? {
            segments: statisticsSegments(
              (await import('../src/dataset/index.js')).countedRows(records),
              job.contract,
              job.plan,
              this.#config.policy.smallCells,
              manifest.noise !== undefined,
            ),
            steps: 0,
            own: undefined,
            model: undefined,
          }
        : await this.#learn(manifest, plan, job, closing, records, roundSecret, prepared, signal);
    // Before the input: once that is stored, nothing is computed again.
    if (own !== undefined) await layAside(this.#store, plan.jobId, plan.rid, own);
    using rounding = roundSecret.lend((ikm) => derive<'rounding'>(ikm, plan.rid, LABELS.deriveRounding, []));
    const noise = this.#noiseShare(manifest, plan, roundSecret);
    const rotation = manifest.noise?.rotated === true ? rotationKey(plan.jobId, plan.modelHash) : undefined;
    const lane = this.#computer.laneFor(layout.length);
    const values = await quantiseInput(lane, { layout, segments, rounding: rounding.reveal(), rotation, noise });
    const inputKeys = inputKeysOf(job, closing, records.version, model);
    const input = { inputHash, inputKeys, dataSet, dataSetVersion: this.#nameOfVersion(records.version) };
    await storeInput(this.#store, input, values);
    return { ...input, steps, droppedRows: records.droppedRows };
  }

  /** The keys of this silo's input to a round, from the records as they are now: another version of them would be another input. */
  async keysOf(manifest: Manifest, plan: Plan): Promise<Uint8Array[]> {
    const job = parseJob(manifest.message);
    const { dataSet } = job.contract;
    const source = this.#config.dataSets[dataSet];
    if (source === undefined)
      throw new AgentError('agent/no-data-set', `the data set "${dataSet}" is not configured here.`);
    const records = await this.#work.readDataSet({ name: dataSet, ...source }, job.contract, this.#config.state);
    const { version } = records;
    records.close?.();
    const model = job.kind === 'statistics' ? undefined : parametersHash(await this.#state(plan));
    return inputKeysOf(job, isClosingRound(manifest, plan.round), version, model);
  }

  /** Under a key of this silo: the version itself is a hash of records, and somebody who knows all but one could try out that one. */
  #nameOfVersion(version: string): Uint8Array {
    using name = this.#store.root.lend((ikm) => derive<'data-set'>(ikm, utf8(version), LABELS.deriveDataSet, []));
    return name.lend((bytes) => bytes.slice());
  }

  async #learn(
    manifest: Manifest,
    plan: Plan,
    job: Exclude<Job, { kind: 'statistics' }>,
    closing: boolean,
    records: DataSet,
    roundSecret: SecretBytes<'round'>,
    prepared: PreparedJob,
    signal: AbortSignal,
  ): Promise<Learned & { readonly model: Hash }> {
    const { recipe, contract } = job;
    const state = await this.#state(plan);
    using key = this.#store.root.lend((ikm) =>
      derive<'holdout'>(ikm, utf8(contract.dataSet), LABELS.deriveHoldout, []),
    );
    const { splitHoldout } = await import('../src/dataset/index.js');
    const { train, holdout } = key.lend((k) => splitHoldout(records, recipe.holdoutFraction, k));
    demandHoldout(this.#config.policy, holdout.rows, this.#warn);
    using sampling = roundSecret.lend((ikm) => derive<'sampling'>(ikm, plan.rid, LABELS.deriveSampling, []));
    using noise = roundSecret.lend((ikm) => derive<'noise'>(ikm, plan.rid, LABELS.deriveNoise, []));
    using seed = roundSecret.lend((ikm) => derive<'shuffling'>(ikm, plan.rid, LABELS.deriveShuffling, []));
    const learned = await learn(
      await this.#trainer(manifest, recipe, prepared),
      {
        job,
        layout: layoutOfRound(manifest, plan.round),
        round: plan.round,
        rounds: manifest.roundLimit,
        closing,
        state,
        train,
        holdout,
        seed: seed.reveal(),
        privacy: privateTerms(manifest.message.unitNoise, train, sampling.reveal(), noise.reveal()),
        own: await readOwn(this.#store, plan.jobId),
        local: prepared.first?.local,
        smallestSlice: this.#config.policy.minimumHoldout,
      },
      signal,
    );
    return { ...learned, model: parametersHash(state) };
  }

  /** This silo's part of the noise: the same whenever it is asked for in this round. Undefined for a job without noise. */
  #noiseShare(
    manifest: Manifest,
    plan: Plan,
    roundSecret: SecretBytes<'round'>,
  ): Parameters<typeof quantiseInput>[1]['noise'] {
    const { noise } = manifest;
    if (noise === undefined) return undefined;
    const malicious = Math.max(this.#config.policy.maxMalicious, manifest.maxMalicious);
    using key = roundSecret.lend((ikm) => derive<'noise'>(ikm, plan.rid, LABELS.deriveNoise, []));
    const { mechanism, tail } = noise;
    return { mechanism, variance: siloVariance(noise, plan.n, malicious), tail, key: key.reveal() };
  }

  async #state(plan: Plan): Promise<ModelState> {
    const name = hex(plan.modelHash);
    if (!(await this.#store.models.has(name)))
      throw new AgentError('agent/no-model-state', `the model ${name.slice(0, 16)}… is not in the state folder.`);
    return decodeModelState(await this.#store.models.read(name, 0, await this.#store.models.size(name)));
  }

  #trainer(manifest: Manifest, recipe: Recipe, prepared: PreparedJob): Promise<OwnTrainer> {
    const known = this.#trainers.get(manifest.jobId);
    if (known !== undefined) return known;
    if (prepared.first === undefined)
      throw new AgentError('agent/no-model-state', `job "${manifest.jobId}" has no model here.`);
    const fresh = this.#work.createTrainer({
      model: prepared.first.onnx,
      loss: recipe.loss,
      train: manifest.message.train,
    });
    this.#trainers.set(manifest.jobId, fresh);
    // A trainer that did not start, or died, is made anew for the next round.
    fresh.catch(() => this.#trainers.delete(manifest.jobId));
    return fresh;
  }

  /** Ends the trainer of a job; the next round, if there is one, starts another. */
  async release(jobId: string): Promise<void> {
    const trainer = this.#trainers.get(jobId);
    this.#trainers.delete(jobId);
    await trainer?.then((one) => one.close()).catch(() => undefined);
  }

  async close(): Promise<void> {
    for (const jobId of [...this.#trainers.keys()]) await this.release(jobId);
  }
}

/**
 * Metrics over a handful of records tell of each; nothing is told where nothing is held out. Warns of a hold-out that is too small for the
 * policy, or throws AgentError `agent/small-holdout`.
 */
export function demandHoldout(
  { minimumHoldout, differencing }: Pick<AgentConfig['policy'], 'minimumHoldout' | 'differencing'>,
  rows: number,
  warn: (trouble: AgentError) => void,
): void {
  if (rows === 0 || rows >= minimumHoldout) return;
  const trouble = new AgentError(
    'agent/small-holdout',
    `${String(rows)} records are held out, policy.minimumHoldout asks for ${String(minimumHoldout)}.`,
  );
  if (differencing === 'refuse') throw trouble;
  warn(trouble);
}

function parametersHash({ parameters }: ModelState): Hash {
  return sha256(new Uint8Array(parameters.buffer, parameters.byteOffset, parameters.byteLength));
}

/**
 * §3: what is computed on which records with which parameters, without quantiser, segment names or neighbours. `parameters`: their hash,
 * undefined for statistics.
 */
function inputKeysOf(job: Job, closing: boolean, version: string, parameters: Hash | undefined): Hash[] {
  const of = (what: string, ...more: Uint8Array[]): Hash => {
    const name = utf8(what);
    return hash(LABELS.inputKey, u32be(name.length), name, utf8(version), ...more);
  };
  if (job.kind === 'statistics') {
    const { contract, plan } = job;
    return [
      ...contract.features.map((feature) => of('moments', utf8(feature.column))),
      ...tablesOf(plan, contract).map(({ kind, columns, cells }) =>
        of('cells', utf8(JSON.stringify([kind, columns, cells]))),
      ),
      ...(plan.correlations.length === 0 ? [] : [of('products', utf8(JSON.stringify(plan.correlations)))]),
    ];
  }
  const model = parameters ?? sha256(new Uint8Array());
  const metrics = [
    of('metrics', columnsOf(job.contract), model),
    ...job.recipe.slices.map((column) => of('slice', utf8(column), columnsOf(job.contract), model)),
  ];
  return job.kind === 'evaluate' || closing ? metrics : [of('update', columnsOf(job.contract), model), ...metrics];
}

function columnsOf(contract: Contract): Uint8Array {
  return sha256(
    utf8(JSON.stringify([...contract.features.map((feature) => feature.column), contract.target?.column ?? null])),
  );
}

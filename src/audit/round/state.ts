// The chain of models: the first state from the forward model and its statistics, and each next one from the opened sum of its round.

import { equalBytes, hex, LIMITS, type Hash } from '../../base/index.js';
import { hash, LABELS, sha256 } from '../../crypto/index.js';
import {
  checkLayout,
  decodeModelState,
  firstModel,
  judgeRound,
  NO_MODEL_STATE,
  parseJob,
  readStatistics,
  type ColumnStatistics,
  type FirstModel,
} from '../../job/index.js';
import { withParameters } from '../../model/index.js';
import { isClosingRound, layoutOfRound, Refusal, type CheckedResult, type Manifest } from '../../protocol/index.js';
import { JobKind, Outcome } from '../../wire/index.js';
import type { BundleReader } from '../bundle/reader.js';
import { verified } from '../errors.js';
import { PART } from '../parts.js';

/** What a finished statistics job leaves for the job that it standardises. */
export interface FinishedStatistics {
  readonly manifest: Manifest;
  readonly resultHash: Hash;
  readonly opened: Int32Array;
  readonly survivors: number;
}

export class ModelChain {
  readonly #manifest: Manifest;
  readonly #first: FirstModel | undefined;
  #state: Uint8Array;
  /** Rounds whose models are gone back to later, and the models. */
  readonly #bases: ReadonlySet<number>;
  readonly #kept = new Map<number, Uint8Array>();

  /** Throws VerifyError `verify/first-model`, `verify/statistics`, JobError, ModelError. */
  constructor(
    bundle: BundleReader,
    manifest: Manifest,
    standardisation: FinishedStatistics | 'none',
    bases: ReadonlySet<number> = new Set(),
  ) {
    this.#manifest = manifest;
    this.#bases = bases;
    const { message, jobId } = manifest;
    if (message.kind === JobKind.JOB_KIND_STATISTICS) this.#state = NO_MODEL_STATE;
    else {
      const forward = bundle.get(PART.forwardModel(jobId), LIMITS.modelBytes);
      verified(
        message.forwardModel !== undefined && equalBytes(sha256(forward), message.forwardModel.sha256),
        'verify/first-model',
        'the forward model of the bundle is not the one that the manifest names.',
      );
      this.#first = firstModel(forward, statisticsFor(manifest, standardisation), sha256, message);
      this.#state = this.#first.state;
    }
    const differences = checkLayout(message, this.#first?.model);
    verified(
      differences.length === 0,
      'verify/first-model',
      `the layout is not that of the job: ${differences.map((one) => `${one.segment}: ${one.difference}`).join('; ')}.`,
    );
    this.keep(0);
    verified(
      equalBytes(this.hash, manifest.initialModelHash),
      'verify/first-model',
      `the first model has the hash ${hex(this.hash)}, the manifest says ${hex(manifest.initialModelHash)}.`,
    );
  }

  /** H("model", state). */
  get hash(): Hash {
    return hash(LABELS.model, this.#state);
  }

  /** After a round, whatever became of it: its model may be gone back to. */
  keep(round: number): void {
    if (this.#bases.has(round)) this.#kept.set(round, this.#state);
  }

  /** Throws Refusal `vote/invalid`. */
  goBack(round: number, modelHash: Hash): void {
    const state = this.#kept.get(round);
    if (state === undefined || !equalBytes(hash(LABELS.model, state), modelHash))
      throw new Refusal('vote/invalid', `the vote names another model than round ${String(round)} ended with.`);
    this.#state = state;
  }

  /** Computes outcome and next state, and compares with the result. Throws Refusal `result/outcome`. */
  advance(result: CheckedResult, opened: Int32Array): 'applied' | 'rejected' {
    const { round } = result.context.plan;
    const judged = judgeRound({
      manifest: this.#manifest.message,
      layout: layoutOfRound(this.#manifest, round),
      closing: isClosingRound(this.#manifest, round),
      opened,
      survivors: result.survivors.members.size,
      state: this.#state,
    });
    const claimed = result.claimedOutcome === Outcome.OUTCOME_APPLIED ? 'applied' : 'rejected';
    const next = hash(LABELS.model, judged.state);
    if (judged.outcome !== claimed || !equalBytes(next, result.claimedModelHash))
      throw new Refusal(
        'result/outcome',
        `the sum gives the outcome ${judged.outcome} and the model ${hex(next)}, the result says ${claimed} and ${hex(result.claimedModelHash)}.`,
      );
    if (judged.endsJob !== result.claimedEnd)
      throw new Refusal(
        'result/outcome',
        `the job's own rule ${judged.endsJob ? 'ends it with this round' : 'does not end it with this round'}, the result says otherwise.`,
      );
    this.#state = judged.state;
    return judged.outcome;
  }

  /** Throws VerifyError `verify/final-model`. */
  checkFinal(bundle: BundleReader): boolean {
    const name = PART.finalModel(this.#manifest.jobId);
    if (this.#first === undefined || !bundle.has(name)) return false;
    const { parameters } = decodeModelState(this.#state);
    verified(
      equalBytes(bundle.get(name, LIMITS.modelBytes), withParameters(this.#first.model, parameters)),
      'verify/final-model',
      'the model that was handed out is not the forward model with the parameters of the last round.',
    );
    return true;
  }
}

function statisticsFor({ message }: Manifest, finished: FinishedStatistics | 'none'): ColumnStatistics | undefined {
  const { standardiseBy } = message;
  if (standardiseBy === undefined) return undefined;
  verified(
    finished !== 'none' && equalBytes(finished.resultHash, standardiseBy.resultHash),
    'verify/statistics',
    `the result of job "${standardiseBy.jobId}" that the manifest names is not the one in this log.`,
  );
  const { contract } = parseJob(finished.manifest.message);
  const own = parseJob(message).contract.features.map(({ column }) => column);
  const theirs = contract.features.map(({ column }) => column);
  verified(
    own.length === theirs.length && own.every((column, i) => column === theirs[i]),
    'verify/statistics',
    `job "${standardiseBy.jobId}" has statistics of other columns.`,
  );
  return readStatistics({ layout: finished.manifest.layout, values: finished.opened }, contract, finished.survivors);
}

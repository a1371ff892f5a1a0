// The coordinator's vector work: adding up, comparing fingerprints, removing masks, judging the sum. Each answers an effect of the state
// machine with the event it asks for; all of it can be done again after a crash, with the same result.

import { hex, type Hash } from '../src/base/index.js';
import { hash, LABELS, sha256 } from '../src/crypto/index.js';
import {
  firstModel,
  judgeRound,
  NO_MODEL_STATE,
  readStatistics,
  parseJob,
  type ColumnStatistics,
} from '../src/job/index.js';
import {
  isClosingRound,
  layoutOfRound,
  openPiece,
  PIECE_COORDINATES,
  remainingMasks,
  sumHasher,
  weightStreams,
  type CoordinatorEffect,
  type CoordinatorEvent,
  type CoordinatorState,
  type Manifest,
  type RoundContext,
} from '../src/protocol/index.js';
import { addFingerprints, Fingerprint, packedBytes, sumWidth, unpackInto, unpackWords } from '../src/vector/index.js';
import { JobKind, Outcome, type BlobRef } from '../src/wire/index.js';
import { CoordinatorError } from './errors.js';
import { plainSha256 } from '../src/storage/index.js';
import { nextTurn, RunningSum } from './running-sum.js';
import { demandConfirmed } from './stored-inputs.js';
import { keepBlob, readBlob, uploadName, type Store } from './store.js';

type Effect<Kind extends CoordinatorEffect['kind']> = Extract<CoordinatorEffect, { kind: Kind }>;

export class Computation {
  readonly #store: Store;
  readonly #running = new Map<string, RunningSum>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** A masked input is complete: start adding it. */
  inputArrived(context: RoundContext, index: number): void {
    this.#sumOf(context).add(index);
  }

  forget(rid: Uint8Array, attempt: number): void {
    this.#running.delete(`${hex(rid)}.${String(attempt)}`);
  }

  #sumOf(context: RoundContext): RunningSum {
    const { plan, attempt, manifest } = context;
    const name = `${hex(plan.rid)}.${String(attempt.attempt)}`;
    const known = this.#running.get(name);
    if (known !== undefined) return known;
    const length = layoutOfRound(manifest, plan.round).length;
    const fresh = new RunningSum(length, manifest.modulusBits, (index) => this.#upload(context, index));
    this.#running.set(name, fresh);
    return fresh;
  }

  #upload(context: RoundContext, index: number): ReturnType<Store['uploads']['upload']> {
    return this.#store.uploads.upload(uploadName(context.plan.rid, context.attempt.attempt, index));
  }

  async computeSum({ context, inputs }: Effect<'compute-sum'>): Promise<CoordinatorEvent> {
    const { plan, attempt } = context;
    const indices = new Set(inputs.keys());
    if (!this.#sumOf(context).fits(indices)) this.forget(plan.rid, attempt.attempt);
    const running = this.#sumOf(context);
    const hasher = sumHasher('sum');
    const content = plainSha256();
    let bytes = 0;
    for await (const piece of running.packed(indices)) {
      hasher.update(piece);
      content.update(piece);
      bytes += piece.length;
    }
    const sum = { sha256: content.digest(), size: BigInt(bytes) };
    // Packed once more rather than held: memory has room for the sum alone.
    await this.#store.blobs.put(hex(sum.sha256), running.packed(indices));
    this.forget(plan.rid, attempt.attempt);
    return { $case: 'sumComputed', value: { rid: plan.rid, attempt: attempt.attempt, sumHash: hasher.digest(), sum } };
  }

  /** Where the taus do not add up to the sum's, each is compared with its input. */
  async checkFingerprints({
    context,
    survivors,
    fingerprints,
  }: Effect<'check-fingerprints'>): Promise<CoordinatorEvent> {
    const { plan, attempt, manifest } = context;
    const length = layoutOfRound(manifest, plan.round).length;
    const missing = [...survivors.members.keys()].filter((index) => !fingerprints.has(index));
    const taus = async (index: number): Promise<readonly bigint[]> => {
      const upload = await this.#upload(context, index);
      // Our own disk may have lost what the silo has a receipt for: nobody is blamed for that.
      await demandConfirmed(context, index, survivors.members.get(index)?.root ?? new Uint8Array(), upload);
      return this.#fingerprint(survivors.t3, length, manifest.modulusBits, upload);
    };
    const claimed = [...fingerprints.values()].map((one) => one.taus as readonly bigint[]);
    for (const index of missing) claimed.push(await taus(index));
    const total = await this.#sumFingerprint(context, survivors.t3, survivors.sumHash);
    const fits = [0, 1].every((s) => addFingerprints(claimed.map((one) => one[s] ?? 0n)) === total[s]);
    const lying: number[] = [];
    if (!fits)
      for (const [index, one] of fingerprints) {
        const own = await taus(index);
        if (own[0] !== one.taus[0] || own[1] !== one.taus[1]) lying.push(index);
      }
    return { $case: 'fingerprintsChecked', value: { rid: plan.rid, attempt: attempt.attempt, lying } };
  }

  async #fingerprint(
    t3: Hash,
    length: number,
    bits: number,
    upload: { readChunks(n: number): AsyncIterable<Uint8Array> },
  ): Promise<bigint[]> {
    const weights = weightStreams(t3);
    const prints = weights.map(() => new Fingerprint());
    let at = 0;
    for await (const bytes of upload.readChunks(packedBytes(PIECE_COORDINATES, bits))) {
      const words = unpackWords(bytes, Math.min(PIECE_COORDINATES, length - at), bits);
      at += words.length;
      prints.forEach((print, s) => {
        print.update(words, weights[s]?.next(words.length) ?? new Uint8Array());
      });
    }
    return prints.map((print) => print.digest());
  }

  async #sumFingerprint(context: RoundContext, t3: Hash, sumHash: Uint8Array): Promise<bigint[]> {
    const weights = weightStreams(t3);
    const prints = weights.map(() => new Fingerprint());
    for await (const sums of this.#sumPieces(context, sumHash))
      prints.forEach((print, s) => {
        print.update(sums, weights[s]?.next(sums.length) ?? new Uint8Array());
      });
    return prints.map((print) => print.digest());
  }

  /** Y in pieces of PIECE_COORDINATES, from the stored blob. */
  async *#sumPieces(context: RoundContext, sumHash: Uint8Array): AsyncGenerator<Float64Array> {
    const { plan, manifest } = context;
    const length = layoutOfRound(manifest, plan.round).length;
    const width = sumWidth(manifest.modulusBits);
    const ref = this.sumBlob(hex(sumHash));
    let at = 0;
    for await (const bytes of this.#store.blobs.readChunks(ref, packedBytes(PIECE_COORDINATES, width))) {
      const sums = new Float64Array(Math.min(PIECE_COORDINATES, length - at));
      unpackInto(sums, bytes, width);
      at += sums.length;
      yield sums;
      await nextTurn();
    }
  }

  /** Name of the blob that holds a sum; set by the service from its state, which knows both hashes. */
  sumBlob: (sumHash: string) => string = () => '';

  async openSum(effect: Effect<'open-sum'>, state: CoordinatorState): Promise<CoordinatorEvent> {
    const { context, keys, dealers, survivors, secrets } = effect;
    const { plan, attempt, manifest } = context;
    const layout = layoutOfRound(manifest, plan.round);
    const maskKeys = new Map<number, Uint8Array>();
    for (const index of survivors.members.keys())
      maskKeys.set(index, keys.members.get(index)?.maskKey ?? new Uint8Array());
    const masks = remainingMasks(secrets.self, secrets.key, maskKeys, dealers.t2, keys.graph);
    const opened = new Int32Array(layout.length);
    let at = 0;
    for await (const sums of this.#sumPieces(context, survivors.sumHash)) {
      opened.set(openPiece(sums, at, masks, manifest.modulusBits), at);
      at += sums.length;
    }
    const bytes = new Uint8Array(opened.buffer);
    const before = await this.modelState(state, manifest, plan.modelHash);
    const judged = judgeRound({
      manifest: manifest.message,
      layout,
      closing: isClosingRound(manifest, plan.round),
      opened,
      survivors: survivors.members.size,
      state: before,
    });
    const newModelHash = hash(LABELS.model, judged.state);
    if (judged.state.length > 0) await this.#store.models.put(hex(newModelHash), judged.state);
    return {
      $case: 'sumOpened',
      value: {
        rid: plan.rid,
        attempt: attempt.attempt,
        openedHash: sumHasher('opened').update(bytes).digest(),
        opened: await keepBlob(this.#store.blobs, bytes),
        outcome: judged.outcome === 'applied' ? Outcome.OUTCOME_APPLIED : Outcome.OUTCOME_REJECTED,
        newModelHash,
        modelState: newModelHash,
        metrics: [...judged.metrics],
        endsJob: judged.endsJob,
      },
    };
  }

  /** The state that a round starts from: stored, or the job's first one, computed from its forward model. */
  async modelState(state: CoordinatorState, manifest: Manifest, modelHash: Hash): Promise<Uint8Array> {
    if (manifest.message.kind === JobKind.JOB_KIND_STATISTICS) return NO_MODEL_STATE;
    if (await this.#store.models.has(hex(modelHash))) return readBlob(this.#store.models, hex(modelHash));
    const first = await this.firstModel(state, manifest);
    await this.#store.models.put(hex(hash(LABELS.model, first.state)), first.state);
    return readBlob(this.#store.models, hex(modelHash));
  }

  /** The forward model with its standardisation, and the first state. Throws CoordinatorError `coordinator/…`. */
  async firstModel(state: CoordinatorState, manifest: Manifest): Promise<ReturnType<typeof firstModel>> {
    const { forwardModel, standardiseBy } = manifest.message;
    if (forwardModel === undefined)
      throw new CoordinatorError('coordinator/no-model', `job "${manifest.jobId}" has no model.`);
    const bytes = await readBlob(this.#store.blobs, hex(forwardModel.sha256));
    const statistics =
      standardiseBy === undefined
        ? undefined
        : await this.#statistics(state, standardiseBy.jobId, standardiseBy.resultHash);
    return firstModel(bytes, statistics, sha256, manifest.message);
  }

  async #statistics(state: CoordinatorState, jobId: string, resultHash: Uint8Array): Promise<ColumnStatistics> {
    const job = [...state.jobs.values()].find((one) => one.manifest.jobId === jobId);
    const round = job?.closed[0];
    const result = round?.result;
    if (job === undefined || round === undefined || result === undefined || hex(round.terminalHash) !== hex(resultHash))
      throw new CoordinatorError(
        'coordinator/no-statistics',
        `there is no result of the statistics job "${jobId}" with the hash ${hex(resultHash)}.`,
      );
    const values = await this.openedSum(result.opened);
    const { contract } = parseJob(job.manifest.message);
    return readStatistics({ layout: job.manifest.layout, values }, contract, round.survivors.length);
  }

  async openedSum(ref: BlobRef): Promise<Int32Array> {
    const bytes = await readBlob(this.#store.blobs, hex(ref.sha256));
    return new Int32Array(bytes.slice().buffer);
  }
}

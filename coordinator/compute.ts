// The coordinator's vector work: adding up, comparing fingerprints, removing masks, judging the sum. Each answers an effect of the state
// machine with the event it asks for; all of it can be done again after a crash, with the same result.

import { equalBytes, hex, type Hash } from '../src/base/index.js';
import { hash, LABELS, sha256 } from '../src/crypto/index.js';
import { inOrder, lender, ringOf, wipeRing, type Computer, type Lane } from '../src/compute/index.js';
import { firstModel, NO_MODEL_STATE, readStatistics, parseJob, type ColumnStatistics } from '../src/job/index.js';
import {
  isClosingRound,
  layoutOfRound,
  PIECE_COORDINATES,
  remainingMasks,
  sumHasher,
  type CoordinatorEffect,
  type CoordinatorEvent,
  type CoordinatorState,
  type Manifest,
  type RoundContext,
  type SumRange,
} from '../src/protocol/index.js';
import { addFingerprints, packedBytes, sumWidth, unpackWordsInto } from '../src/vector/index.js';
import { JobKind, Outcome, type BlobRef } from '../src/wire/index.js';
import { CoordinatorError } from './errors.js';
import { plainSha256, type StoredUpload } from '../src/storage/index.js';
import { RunningSum } from './running-sum.js';
import { demandConfirmed } from './stored-inputs.js';
import { InputRoots } from './input-roots.js';
import { attemptPrefix, keepBlob, readBlob, uploadName, type Store } from './store.js';

type Effect<Kind extends CoordinatorEffect['kind']> = Extract<CoordinatorEffect, { kind: Kind }>;

/** Sums of some inputs of an attempt. */
export interface Partial {
  readonly indices: readonly number[];
  /** Packed as Y is, in pieces of PIECE_COORDINATES; where they come from a store, `pieceBytes` says how many bytes that is. */
  readonly pieces: (pieceBytes: number) => AsyncIterable<Uint8Array>;
}

/** Of the sum that is made while an attempt's inputs come in. */
export function sumName({ plan, attempt }: Pick<RoundContext, 'plan' | 'attempt'>): string {
  return `${hex(plan.rid)}.${String(attempt.attempt)}`;
}

export class Computation {
  readonly #store: Store;
  readonly computer: Computer;
  readonly roots = new InputRoots();
  readonly #running = new Map<string, RunningSum>();
  /** Roots of inputs that came in here, by attempt and cohort index. */
  readonly #taken = new Map<string, Map<number, Uint8Array>>();

  constructor(store: Store, computer: Computer) {
    this.#store = store;
    this.computer = computer;
  }

  #laneOf({ manifest, plan }: RoundContext): Lane {
    return this.computer.laneFor(layoutOfRound(manifest, plan.round).length);
  }

  /** A masked input was read whole here and has this root; whether it counts is not known yet. */
  took(context: RoundContext, index: number, root: Uint8Array): void {
    const name = sumName(context);
    const taken = this.#taken.get(name) ?? new Map<number, Uint8Array>();
    this.#taken.set(name, taken.set(index, root));
  }

  /** A masked input is complete: start adding it. */
  inputArrived(context: RoundContext, index: number): void {
    this.#sumOf(context).add(index);
  }

  forget(rid: Uint8Array, attempt: number): void {
    const name = `${hex(rid)}.${String(attempt)}`;
    this.#running.delete(name);
    this.#taken.delete(name);
    this.roots.forget(attemptPrefix(rid, attempt));
  }

  #sumOf(context: RoundContext): RunningSum {
    const { plan, manifest } = context;
    const name = sumName(context);
    const known = this.#running.get(name);
    if (known !== undefined) return known;
    const length = layoutOfRound(manifest, plan.round).length;
    const lane = this.#laneOf(context);
    const fresh = new RunningSum(length, manifest.modulusBits, lane, (index) => this.#upload(context, index));
    this.#running.set(name, fresh);
    return fresh;
  }

  #upload(context: RoundContext, index: number): ReturnType<Store['uploads']['upload']> {
    return this.#store.uploads.upload(uploadName(context.plan.rid, context.attempt.attempt, index));
  }

  /** Attempts whose sums are no longer wanted, where nobody says so one by one. */
  forgetAllBut(kept: ReadonlySet<string>): void {
    for (const kind of [this.#running, this.#taken])
      for (const name of kind.keys()) if (!kept.has(name)) kind.delete(name);
  }

  /** The sum of those inputs of an attempt, now closed, that came in here; undefined when none did. */
  async partialOf(
    context: RoundContext,
    inputs: ReadonlyMap<number, { readonly root: Uint8Array }>,
  ): Promise<Partial | undefined> {
    const taken = [...(this.#taken.get(sumName(context)) ?? [])];
    const ours = taken.filter(([index, root]) => equalBytes(root, inputs.get(index)?.root ?? new Uint8Array()));
    if (ours.length === 0) return undefined;
    const running = this.#sumOf(context);
    if (!running.fits(new Set(inputs.keys()))) return undefined;
    for (const [index] of ours) running.add(index);
    const added = await running.added();
    return { indices: added, pieces: () => running.packed(added) };
  }

  /** Sums that others have made of an attempt's inputs; set where there are others. */
  gather: ((context: RoundContext, indices: ReadonlySet<number>) => Promise<readonly Partial[]>) | undefined;

  async #combined(context: RoundContext, indices: ReadonlySet<number>): Promise<RunningSum> {
    const { plan, attempt } = context;
    if (!this.#sumOf(context).fits(indices)) this.forget(plan.rid, attempt.attempt);
    const running = this.#sumOf(context);
    if (this.gather === undefined) return running;
    const pieceBytes = packedBytes(PIECE_COORDINATES, sumWidth(context.manifest.modulusBits));
    try {
      for (const partial of await this.gather(context, indices))
        running.include(partial.indices, partial.pieces(pieceBytes));
      await running.added();
      return running;
    } catch {
      // What others have made saves time; the inputs themselves are all there.
      this.forget(plan.rid, attempt.attempt);
      return this.#sumOf(context);
    }
  }

  async computeSum({ context, inputs }: Effect<'compute-sum'>): Promise<CoordinatorEvent> {
    const { plan, attempt } = context;
    const indices = new Set(inputs.keys());
    const running = await this.#combined(context, indices);
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
    const { plan, attempt } = context;
    const missing = [...survivors.members.keys()].filter((index) => !fingerprints.has(index));
    const taus = async (index: number): Promise<readonly bigint[]> => {
      const upload = await this.#upload(context, index);
      // Our own disk may have lost what the silo has a receipt for: nobody is blamed for that.
      await demandConfirmed(context, index, survivors.members.get(index)?.root ?? new Uint8Array(), upload);
      return this.#fingerprint(survivors.t3, context, upload);
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

  async #fingerprint(t3: Hash, context: RoundContext, upload: Pick<StoredUpload, 'readChunks'>): Promise<bigint[]> {
    const lane = this.#laneOf(context);
    const { manifest, plan } = context;
    const { length } = layoutOfRound(manifest, plan.round);
    const bits = manifest.modulusBits;
    const room = lender(lane, 4 * Math.min(lane.range, length));
    const size = packedBytes(Math.min(lane.range, length), bits);
    let at = 0;
    const prints = inOrder(lane, upload.readChunks(size), (bytes) => {
      const start = at;
      at = Math.min(at + lane.range, length);
      const { buffer, byteOffset } = room();
      const words = new Uint32Array(buffer, byteOffset, at - start);
      unpackWordsInto(words, bytes, bits);
      return lane.run('fingerprint', { words, start, t3 });
    });
    return totalOf(prints);
  }

  async #sumFingerprint(context: RoundContext, t3: Hash, sumHash: Uint8Array): Promise<bigint[]> {
    const lane = this.#laneOf(context);
    const prints = inOrder(lane, this.#sumRanges(context, lane, sumHash), (range) =>
      lane.run('fingerprint-sums', { ...range, t3 }),
    );
    return totalOf(prints);
  }

  /** Y in ranges of the lane, from the stored blob. */
  async *#sumRanges({ plan, manifest }: RoundContext, lane: Lane, sumHash: Uint8Array): AsyncGenerator<SumRange> {
    const { length } = layoutOfRound(manifest, plan.round);
    const bits = manifest.modulusBits;
    const size = packedBytes(Math.min(lane.range, length), sumWidth(bits));
    let start = 0;
    for await (const sums of this.#store.blobs.readChunks(this.sumBlob(hex(sumHash)), size, 0, lender(lane, size))) {
      const count = Math.min(lane.range, length - start);
      yield { sums, start, count, bits };
      start += count;
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
    const lane = this.#laneOf(context);
    const masks = ringOf(lane, remainingMasks(secrets.self, secrets.key, maskKeys, dealers.t2, keys.graph));
    const bytes = lane.room(4 * layout.length);
    const opened = new Int32Array(bytes.buffer, bytes.byteOffset, layout.length);
    const openedHash = sumHasher('opened');
    const ranges = inOrder(lane, this.#sumRanges(context, lane, survivors.sumHash), async (range) => {
      const own = opened.subarray(range.start, range.start + range.count);
      await lane.run('open', { ...range, keys: masks, opened: own });
      return own;
    });
    for await (const { byteOffset, byteLength } of ranges)
      openedHash.update(new Uint8Array(bytes.buffer, byteOffset, byteLength));
    wipeRing(masks);
    const before = await this.modelState(state, manifest, plan.modelHash);
    const judged = await lane.run('judge', {
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
        openedHash: openedHash.digest(),
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

/** Fingerprints of ranges add up to the whole's. */
async function totalOf(ranges: AsyncIterable<readonly [bigint, bigint]>): Promise<bigint[]> {
  let total = [0n, 0n];
  for await (const [first, second] of ranges)
    total = [addFingerprints([total[0] ?? 0n, first]), addFingerprints([total[1] ?? 0n, second])];
  return total;
}

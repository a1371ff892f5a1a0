// A result's vectors, fetched in pieces and checked in full: ranges, fingerprints, masks, opened sum; then outcome and new model, computed
// here (docs/protocol.md §2.3 P6).

import { concat, defined, hex, u16be, type Hash } from '../src/base/index.js';
import { inOrder, inPieces, lender, ringOf, type Computer, type Lane } from '../src/compute/index.js';
import { hash, LABELS, sha256 } from '../src/crypto/index.js';
import { NO_MODEL_STATE, type Judgement } from '../src/job/index.js';
import {
  isClosingRound,
  layoutOfRound,
  Refusal,
  VectorCheck,
  type CheckedResult,
  type Manifest,
} from '../src/protocol/index.js';
import type { SiloClient } from '../src/transport/index.js';
import { packedBytes, sumWidth } from '../src/vector/index.js';
import {
  Coverage,
  JobKind,
  Outcome,
  type BlobRef,
  type ResultDirective,
  type SiloResultVerified,
} from '../src/wire/index.js';
import { AgentError } from './errors.js';
import { statisticsKey } from './prepare.js';
import type { Store } from './store.js';

export interface VerifySite {
  readonly store: Store;
  readonly client: Pick<SiloClient, 'getBlob'>;
  readonly computer: Computer;
}

/** Of a sum that holds an input of this silo which its journal does not know. */
export type Restored = Pick<SiloResultVerified, 'restored' | 'ownInputKeys'>;

const NOTHING_RESTORED: Restored = { restored: false, ownInputKeys: [] };

/** Rejects only when something could not be fetched or stored: what is wrong with the result itself comes back as its code. */
export async function verifyResult(
  site: VerifySite,
  manifest: Manifest,
  result: CheckedResult,
  directive: ResultDirective,
  restored: Restored = NOTHING_RESTORED,
): Promise<SiloResultVerified> {
  const { store } = site;
  const { plan } = result.context;
  const about = { jobId: plan.jobId, round: plan.round, plan: plan.envelope, result: directive.result, ...restored };
  try {
    const lane = site.computer.laneFor(layoutOfRound(manifest, plan.round).length);
    const opened = await checkVectors(site, lane, result, directive);
    const judged = await judge(store, lane, manifest, result, opened);
    const newModelHash = hash(LABELS.model, judged.state);
    if (judged.state.length > 0) await store.models.put(hex(newModelHash), judged.state);
    if (manifest.message.kind === JobKind.JOB_KIND_STATISTICS) await keepStatistics(store, manifest, result, opened);
    const outcome = judged.outcome === 'applied' ? Outcome.OUTCOME_APPLIED : Outcome.OUTCOME_REJECTED;
    const { endsJob } = judged;
    return { ...about, failedCode: '', outcome, newModelHash, coverage: Coverage.COVERAGE_FULL, endsJob };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return {
      ...about,
      failedCode: error.code,
      outcome: Outcome.OUTCOME_UNSPECIFIED,
      newModelHash: new Uint8Array(),
      coverage: Coverage.COVERAGE_FULL,
      endsJob: false,
    };
  }
}

/**
 * §2.3 P6 (1), (3) and (4). Returns X as computed here: the published one is not fetched, since its hash stands in the result. While one
 * range is on its way, those before it are examined.
 */
async function checkVectors(
  { client }: VerifySite,
  lane: Lane,
  result: CheckedResult,
  directive: ResultDirective,
): Promise<Int32Array> {
  const bits = result.context.manifest.modulusBits;
  const { t3 } = result.survivors;
  const check = new VectorCheck(result);
  const rangesOf = (ref: BlobRef, width: number): AsyncGenerator<Uint8Array> =>
    inPieces(client.getBlob(ref), lender(lane, packedBytes(Math.min(lane.range, check.length), width)));
  for (const [k, index] of result.missing.entries()) {
    const ref = sized(directive.missingInputs[k], check.sizes.input, 'result/missing-input');
    const input = check.missingInput(index);
    const words = lender(lane, 4 * Math.min(lane.range, check.length));
    const prints = inOrder(lane, rangesOf(ref, bits), (bytes) => {
      const next = input.next(bytes);
      const room = words(next.words.byteLength);
      const shared = new Uint32Array(room.buffer, room.byteOffset, next.words.length);
      shared.set(next.words);
      return lane.run('fingerprint', { words: shared, start: next.start, t3 });
    });
    for await (const print of prints) input.add(print);
    input.finish();
  }
  const sum = sized(directive.sum, check.sizes.sum, 'result/sum');
  sized(directive.opened, check.sizes.opened, 'result/opened');
  const room = lane.room(check.sizes.opened);
  const opened = new Int32Array(room.buffer, room.byteOffset, check.length);
  const keys = ringOf(lane, check.keys);
  const examined = inOrder(lane, rangesOf(sum, sumWidth(bits)), async (bytes) => {
    const range = check.next(bytes);
    const own = opened.subarray(range.start, range.start + range.count);
    return { facts: await lane.run('examine', { ...range, keys, t3, opened: own }), own };
  });
  for await (const { facts, own } of examined) check.take(facts, own);
  check.finish();
  return opened;
}

function sized(
  ref: BlobRef | undefined,
  bytes: number,
  code: 'result/sum' | 'result/opened' | 'result/missing-input',
): BlobRef {
  if (ref?.size !== BigInt(bytes))
    throw new Refusal(
      code,
      `an object of ${String(bytes)} bytes was expected, the result names ${ref === undefined ? 'none' : `one of ${String(ref.size)}`}.`,
    );
  return ref;
}

async function judge(
  store: Store,
  lane: Lane,
  manifest: Manifest,
  result: CheckedResult,
  opened: Int32Array,
): Promise<Judgement> {
  const { plan } = result.context;
  return lane.run('judge', {
    manifest: manifest.message,
    layout: layoutOfRound(manifest, plan.round),
    closing: isClosingRound(manifest, plan.round),
    opened,
    survivors: result.survivors.members.size,
    state: await stateOf(store, manifest, plan.modelHash),
  });
}

async function stateOf(store: Store, manifest: Manifest, modelHash: Hash): Promise<Uint8Array> {
  if (manifest.message.kind === JobKind.JOB_KIND_STATISTICS) return NO_MODEL_STATE;
  const name = hex(modelHash);
  if (!(await store.models.has(name)))
    throw new AgentError('agent/no-model-state', `the model ${name.slice(0, 16)}… is not in the state folder.`);
  return store.models.read(name, 0, await store.models.size(name));
}

/** Later jobs of this silo standardise by it. */
async function keepStatistics(
  store: Store,
  manifest: Manifest,
  result: CheckedResult,
  opened: Int32Array,
): Promise<void> {
  const bytes = new Uint8Array(opened.buffer, opened.byteOffset, opened.byteLength);
  const name = sha256(bytes);
  await store.blobs.put(hex(name), bytes);
  const survivors = defined(result.survivors.members.size, 'survivors');
  await store.journal.put(statisticsKey(manifest.jobId), concat(name, u16be(survivors)));
}

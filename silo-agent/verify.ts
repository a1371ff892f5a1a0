// A result's vectors, fetched in pieces and checked in full: ranges, fingerprints, masks, opened sum; then outcome and new model, computed
// here (docs/protocol.md §2.3 P6).

import { concat, defined, hex, u16be, type Hash } from '../src/base/index.js';
import { hash, LABELS, sha256 } from '../src/crypto/index.js';
import { judgeRound, NO_MODEL_STATE, type Judgement } from '../src/job/index.js';
import {
  isClosingRound,
  layoutOfRound,
  PIECE_COORDINATES,
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

type Fetch = Pick<SiloClient, 'getBlob'>;

/** Rejects only when something could not be fetched or stored: what is wrong with the result itself comes back as its code. */
export async function verifyResult(
  store: Store,
  client: Fetch,
  manifest: Manifest,
  result: CheckedResult,
  directive: ResultDirective,
): Promise<SiloResultVerified> {
  const { plan } = result.context;
  const about = { jobId: plan.jobId, round: plan.round, plan: plan.envelope, result: directive.result };
  try {
    const opened = await checkVectors(client, result, directive);
    const judged = await judge(store, manifest, result, opened);
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

/** §2.3 P6 (1), (3) and (4). Returns X as computed here. */
async function checkVectors(client: Fetch, result: CheckedResult, directive: ResultDirective): Promise<Int32Array> {
  const { manifest, plan } = result.context;
  const length = layoutOfRound(manifest, plan.round).length;
  const bits = manifest.modulusBits;
  const check = new VectorCheck(result);
  for (const [k, index] of result.missing.entries()) {
    const ref = sized(directive.missingInputs[k], check.sizes.input, 'result/missing-input');
    const input = check.missingInput(index);
    for await (const piece of pieces(client.getBlob(ref), packedBytes(PIECE_COORDINATES, bits))) input.update(piece);
    input.finish();
  }
  const sum = sized(directive.sum, check.sizes.sum, 'result/sum');
  const openedRef = sized(directive.opened, check.sizes.opened, 'result/opened');
  const sums = pieces(client.getBlob(sum), packedBytes(PIECE_COORDINATES, sumWidth(bits)));
  const published = pieces(client.getBlob(openedRef), 4 * PIECE_COORDINATES);
  const opened = new Int32Array(length);
  let at = 0;
  for await (const piece of sums) {
    const { value } = await published.next();
    const own = check.update(piece, value ?? new Uint8Array());
    opened.set(own, at);
    at += own.length;
  }
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

/** Cuts a stream into pieces of `size` bytes, the last one shorter. */
export async function* pieces(stream: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array, undefined> {
  let held: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    held.push(chunk.slice());
    bytes += chunk.length;
    if (bytes < size) continue;
    let rest: Uint8Array = concat(...held);
    while (rest.length >= size) {
      yield rest.subarray(0, size);
      rest = rest.subarray(size);
    }
    held = [rest];
    bytes = rest.length;
  }
  if (bytes > 0) yield concat(...held);
  return undefined;
}

async function judge(store: Store, manifest: Manifest, result: CheckedResult, opened: Int32Array): Promise<Judgement> {
  const { plan } = result.context;
  return judgeRound({
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

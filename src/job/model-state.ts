// What a round starts from and ends with: the parameters, the update rule's own state, and which forward model they belong to. Every
// silo computes these bytes itself and compares their hash, so they have exactly one form.

import { concat, equalBytes, HASH_BYTES, readNumbers, u32be, utf8, writeNumbers } from '../base/index.js';
import { initialParameters, readForwardModel, withStandardisation, type ForwardModel } from '../model/index.js';
import { JobError } from './errors.js';
import { JOB_LIMITS } from './limits.js';
import { localPart, type LocalPart, type ModelParts } from './local-part.js';
import type { ColumnStatistics } from './statistics.js';

export interface ModelState {
  /** SHA-256 of the forward model with the standardisation baked in, 32 bytes. */
  readonly modelSha256: Uint8Array;
  /** In the order of the model's parameters. */
  readonly parameters: Float32Array;
  /** The update rule's own bytes; empty before the first round. */
  readonly updateState: Uint8Array;
}

const MAGIC = utf8('veilsum-state-1\n');

/** magic || SHA-256 of the model || u32be count || parameters, little-endian float32 || u32be length || update state. */
export function encodeModelState({ modelSha256, parameters, updateState }: ModelState): Uint8Array<ArrayBuffer> {
  if (modelSha256.length !== HASH_BYTES) throw new JobError('job/bad-state', 'the hash of a model has 32 bytes.');
  const head = concat(MAGIC, modelSha256, u32be(parameters.length));
  const tail = head.length + 4 * parameters.length;
  const bytes = new Uint8Array(tail + 4 + updateState.length);
  bytes.set(head);
  writeNumbers(bytes.subarray(head.length, tail), parameters);
  bytes.set(u32be(updateState.length), tail);
  bytes.set(updateState, tail + 4);
  return bytes;
}

/** Throws JobError `job/bad-state` on anything that `encodeModelState` would not write. */
export function decodeModelState(bytes: Uint8Array): ModelState {
  const bad = (): JobError =>
    new JobError('job/bad-state', `${String(bytes.length)} bytes are not the state of a model.`);
  const head = MAGIC.length + HASH_BYTES + 4;
  if (bytes.length < head + 4 || !equalBytes(bytes.subarray(0, MAGIC.length), MAGIC)) throw bad();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = view.getUint32(head - 4);
  const tail = head + 4 * count;
  if (tail + 4 > bytes.length || tail + 4 + view.getUint32(tail) !== bytes.length) throw bad();
  const parameters = new Float32Array(count);
  readNumbers(parameters, bytes.subarray(head, tail));
  return { modelSha256: bytes.slice(MAGIC.length, head - 4), parameters, updateState: bytes.slice(tail + 4) };
}

/** The state of a job that has no model (statistics). */
export const NO_MODEL_STATE = new Uint8Array();

export interface FirstModel {
  /** The forward model with the standardisation baked in. */
  readonly onnx: Uint8Array;
  readonly model: ForwardModel;
  /** The state that round 1 starts from. */
  readonly state: Uint8Array<ArrayBuffer>;
  /** What a silo trains beside the vector, for itself; undefined where nothing is. */
  readonly local: LocalPart | undefined;
}

/**
 * From the exported forward model to what round 1 starts from. `digest`: SHA-256. `parts`: which
 * parameters are trained, as the manifest says it. Throws ModelError `model/…` with every reason why the
 * model cannot be trained.
 */
export function firstModel(
  forward: Uint8Array,
  statistics: ColumnStatistics | undefined,
  digest: (bytes: Uint8Array) => Uint8Array,
  parts: ModelParts = {},
): FirstModel {
  const onnx =
    statistics === undefined
      ? forward
      : withStandardisation(forward, { mean: statistics.mean, std: statistics.standardDeviation });
  const { train = [], local = [] } = parts;
  for (const patterns of [train, local])
    if (patterns.length > JOB_LIMITS.trainPatternsMax)
      throw new JobError(
        'job/bad-manifest',
        `the manifest names ${String(patterns.length)} patterns of parameters, at most ${String(JOB_LIMITS.trainPatternsMax)} are allowed.`,
      );
  const model = readForwardModel(onnx, { ...(train.length === 0 ? {} : { train }), local });
  const state = encodeModelState({
    modelSha256: digest(onnx),
    parameters: initialParameters(model),
    updateState: new Uint8Array(),
  });
  return { onnx, model, state, local: localPart(onnx, model, parts) };
}

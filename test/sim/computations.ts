// The coordinator's vector work on tiny vectors, with the real kernels.

import { hex, type SiloId } from '../../src/base/index.js';
import {
  layoutOfRound,
  sumHasher,
  type CoordinatorEffect,
  type CoordinatorEvent,
  type CoordinatorState,
} from '../../src/protocol/index.js';
import { sumWidth, unpackInto, unpackWords } from '../../src/vector/index.js';
import { Outcome, type BlobRef } from '../../src/wire/index.js';
import {
  bytesOf,
  changedSum,
  fingerprintsOf,
  hashSum,
  nextModel,
  openSum,
  sumInputs,
} from '../support/memory/vectors.js';
import type { Oracle } from './oracle.js';

export type Computation = Extract<CoordinatorEffect, { kind: 'compute-sum' | 'check-fingerprints' | 'open-sum' }>;

/** What computations read and keep. */
export interface Books {
  readonly state: CoordinatorState;
  readonly uploads: ReadonlyMap<string, Uint8Array>;
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  readonly missing: Map<string, BlobRef[]>;
  readonly lieAboutSum: ((sum: Float64Array) => void) | undefined;
  keep(bytes: Uint8Array): BlobRef;
  rejects(opened: Int32Array): boolean;
}

export function uploadName(rid: Uint8Array, attempt: number, silo: SiloId): string {
  return `${hex(rid)}/${attempt}/${silo}`;
}

function lengthOf({ context }: Computation): number {
  return layoutOfRound(context.manifest, context.plan.round).length;
}

/** Undefined when the attempt has ended meanwhile and its inputs are gone. */
export function computed(coordinator: Books, effect: Computation, oracle: Oracle): CoordinatorEvent | undefined {
  const { plan, attempt } = effect.context;
  const open = coordinator.state.jobs.get(plan.jobId)?.open;
  if (open === undefined || hex(open.plan.rid) !== hex(plan.rid)) return undefined;
  if (open.attempt.context.attempt.attempt !== attempt.attempt) return undefined;
  if (effect.kind === 'compute-sum') return sumOf(coordinator, effect);
  if (effect.kind === 'check-fingerprints') return lyingIn(coordinator, effect);
  return openedBy(coordinator, effect, oracle);
}

function inputs(coordinator: Books, { context }: Computation, indices: Iterable<number>): Uint8Array[] {
  const { plan, attempt } = context;
  return [...indices].map((index) => {
    const bytes = coordinator.uploads.get(uploadName(plan.rid, attempt.attempt, plan.cohort[index]!));
    if (bytes === undefined) throw new Error(`the input of member ${index} that has a receipt is gone`);
    return bytes;
  });
}

function sumOf(coordinator: Books, effect: Extract<Computation, { kind: 'compute-sum' }>): CoordinatorEvent {
  const { plan, manifest, attempt } = effect.context;
  const length = lengthOf(effect);
  let bytes = sumInputs(inputs(coordinator, effect, effect.inputs.keys()), length, manifest.modulusBits);
  if (coordinator.lieAboutSum !== undefined)
    bytes = changedSum(bytes, length, manifest.modulusBits, coordinator.lieAboutSum);
  const sum = coordinator.keep(bytes);
  return { $case: 'sumComputed', value: { rid: plan.rid, attempt: attempt.attempt, sumHash: hashSum(bytes), sum } };
}

function lyingIn(coordinator: Books, effect: Extract<Computation, { kind: 'check-fingerprints' }>): CoordinatorEvent {
  const { plan, attempt, manifest } = effect.context;
  const length = lengthOf(effect);
  const lying = [...effect.fingerprints].filter(([index, { taus }]) => {
    const words = unpackWords(inputs(coordinator, effect, [index])[0]!, length, manifest.modulusBits);
    const own = fingerprintsOf(words, effect.survivors);
    return own[0] !== taus[0] || own[1] !== taus[1];
  });
  const value = { rid: plan.rid, attempt: attempt.attempt, lying: lying.map(([index]) => index) };
  return { $case: 'fingerprintsChecked', value };
}

function openedBy(
  coordinator: Books,
  effect: Extract<Computation, { kind: 'open-sum' }>,
  oracle: Oracle,
): CoordinatorEvent {
  const { plan, attempt, manifest } = effect.context;
  const kept = inputs(
    coordinator,
    effect,
    [...effect.missing].sort((a, b) => a - b),
  ).map((one) => coordinator.keep(one));
  if (kept.length > 0) coordinator.missing.set(hex(plan.rid), kept);
  const sum = coordinator.state.jobs.get(plan.jobId)!.open!.attempt.sum!;
  const sums = new Float64Array(lengthOf(effect));
  unpackInto(sums, coordinator.blobs.get(hex(sum.sha256))!, sumWidth(manifest.modulusBits));
  const words = openSum(effect, sums);
  const opened = bytesOf(words);
  oracle.opened(effect, words);
  const rejected = coordinator.rejects(words);
  return {
    $case: 'sumOpened',
    value: {
      rid: plan.rid,
      attempt: attempt.attempt,
      openedHash: sumHasher('opened').update(opened).digest(),
      opened: coordinator.keep(opened),
      outcome: rejected ? Outcome.OUTCOME_REJECTED : Outcome.OUTCOME_APPLIED,
      newModelHash: rejected ? plan.modelHash : nextModel(plan.modelHash, opened),
      modelState: new Uint8Array(),
      metrics: [],
      endsJob: false,
    },
  };
}

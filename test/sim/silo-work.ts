// A silo's long work: deciding, preparing, contributing, masking, fingerprinting and verifying, each as an event that comes back later.

import { CodedError, hex, utf8, type SiloId } from '../../src/base/index.js';
import { hash, LABELS } from '../../src/crypto/index.js';
import {
  layoutOfRound,
  seal,
  siloSigner,
  type Plan,
  type SiloEffect,
  type SiloJournalledEvent,
  type SiloState,
} from '../../src/protocol/index.js';
import { Approval, Coverage, Outcome } from '../../src/wire/index.js';
import { fingerprintsOf, masked, nextModel, verifyVectors } from '../support/memory/vectors.js';
import { inputOf } from './inputs.js';
import type { World } from './world.js';

type Work = Exclude<SiloEffect, { kind: 'persist' | 'submit' | 'notice' }>;

/** The silo whose work it is. */
export interface Worker {
  readonly world: World;
  readonly id: SiloId;
  readonly index: number;
  readonly life: number;
  readonly state: SiloState;
  readonly inputs: Map<string, Int32Array>;
  background(name: string, task: () => boolean, forMs: number): void;
  feed(event: SiloJournalledEvent): unknown;
  watchAnew(): void;
  tamperUpload(bytes: Uint8Array): Uint8Array;
}

export function work(silo: Worker, effect: Work): void {
  switch (effect.kind) {
    case 'ask-operator':
      silo.background(`ask ${effect.manifest.jobId}`, () => decide(silo, effect), 1_500);
      return;
    case 'prepare-job':
      silo.background(`prepare ${effect.manifest.jobId}`, () => prepare(silo, effect), 300);
      return;
    case 'contribute':
      silo.background(`contribute ${hex(effect.plan.rid)}`, () => contribute(silo, effect), 600);
      return;
    case 'mask-and-upload':
      silo.background(`upload ${hex(effect.plan.rid)} ${effect.attempt}`, () => upload(silo, effect), 400);
      return;
    case 'fingerprint':
      silo.background(`fingerprint ${hex(effect.survivors.t3)}`, () => fingerprint(silo, effect), 100);
      return;
    case 'verify-result':
      silo.background(`verify ${hex(effect.result.hash)}`, () => verify(silo, effect), 300);
      return;
    case 'watch-anew':
      silo.watchAnew();
      return;
    case 'forget-input':
      silo.inputs.delete(hex(effect.inputHash));
      return;
    case 'ask-about-roster':
    case 'keep-roster':
      throw new Error('the roster of a simulation does not change');
  }
}

function decide(silo: Worker, { manifest }: Extract<Work, { kind: 'ask-operator' }>): boolean {
  const message = { siloId: silo.id, manifestHash: manifest.hash, approved: true, note: '', atUnixMs: 0n };
  const key = silo.world.founded.keyOf(silo.id);
  silo.feed({
    $case: 'jobDecided',
    value: { approval: seal(key, siloSigner(silo.id), 'approval', Approval, message) },
  });
  return true;
}

function prepare(silo: Worker, { manifest }: Extract<Work, { kind: 'prepare-job' }>): boolean {
  const { jobId, initialModelHash } = manifest;
  const { life } = silo;
  silo.feed({
    $case: 'jobPrepared',
    value: { jobId, modelHash: initialModelHash, refusedCode: '', refusedDetail: '', dataSet: 'records' },
  });
  if (silo.life === life) silo.watchAnew();
  return true;
}

function contribute(silo: Worker, { manifest, plan }: Extract<Work, { kind: 'contribute' }>): boolean {
  const about = { jobId: plan.jobId, round: plan.round };
  if (silo.world.hasNoInput(silo.index, plan)) {
    silo.feed({ $case: 'contributionFailed', value: { ...about, code: 'data/missing' } });
    return true;
  }
  const inputHash = hash(LABELS.inputKey, utf8('input'), plan.rid);
  if (!silo.inputs.has(hex(inputHash)))
    silo.inputs.set(hex(inputHash), inputOf(silo.index, layoutOfRound(manifest, plan.round).length));
  const dataSet = { dataSet: 'records', dataSetVersion: hash(LABELS.inputKey, utf8(silo.id)) };
  silo.feed({ $case: 'contributionReady', value: { ...about, inputHash, inputKeys: [keyOf(silo, plan)], ...dataSet } });
  return true;
}

function isOpen(silo: Worker, rid: Uint8Array): boolean {
  return [...silo.state.jobs.values()].some(({ open }) => open !== undefined && hex(open.plan.rid) === hex(rid));
}

/** The stored input; undefined when its round has ended meanwhile. */
function stored(silo: Worker, inputHash: Uint8Array, rid: Uint8Array): Int32Array | undefined {
  const input = silo.inputs.get(hex(inputHash));
  if (input === undefined && isOpen(silo, rid) && !silo.world.isMalicious(silo.index))
    throw new Error(`${silo.id} has lost the input of an open round`);
  return input;
}

function upload(silo: Worker, effect: Extract<Work, { kind: 'mask-and-upload' }>): boolean {
  const { rid } = effect.plan;
  const input = stored(silo, effect.inputHash, rid);
  if (input === undefined) return true;
  const { bytes, root } = masked(input, effect.masks, effect.modulusBits);
  silo.world.oracle.uploading(silo, effect);
  const taken = silo.world.upload(silo, rid, effect.attempt, silo.tamperUpload(bytes));
  if (taken === undefined) return false;
  if (taken) silo.feed({ $case: 'inputMasked', value: { rid, attempt: effect.attempt, root } });
  return true;
}

function fingerprint(silo: Worker, effect: Extract<Work, { kind: 'fingerprint' }>): boolean {
  const input = stored(silo, effect.inputHash, effect.plan.rid);
  if (input === undefined) return true;
  const { words } = masked(input, effect.masks, effect.modulusBits);
  const unsigned = Uint32Array.from(words, (word) => (effect.modulusBits === 32 ? word >>> 0 : word));
  const [tau0, tau1] = fingerprintsOf(unsigned, effect.survivors);
  silo.feed({ $case: 'fingerprinted', value: { t3: effect.survivors.t3, tau0, tau1 } });
  return true;
}

/** What is computed differs from job to job, as it does when their parameters do; or is the same in all as long as their models are. */
function keyOf({ world }: Worker, { jobId, modelHash }: Plan): Uint8Array {
  return hash(LABELS.inputKey, utf8(world.sameInputs ? 'all jobs' : jobId), modelHash);
}

/** Little-endian, as they were written. */
function wordsOf(bytes: Uint8Array): Int32Array {
  return new Int32Array(bytes.slice().buffer);
}

class Away extends Error {}

function verify(silo: Worker, { result, directive, restores }: Extract<Work, { kind: 'verify-result' }>): boolean {
  const { plan } = result.context;
  const about = {
    jobId: plan.jobId,
    round: plan.round,
    plan: plan.envelope,
    result: directive.result,
    restored: restores,
    ownInputKeys: restores ? [keyOf(silo, plan)] : [],
  };
  const bytesOf = (sha256: Uint8Array | undefined): Uint8Array => {
    const bytes = sha256 === undefined ? undefined : silo.world.fetch(silo, sha256);
    if (bytes === undefined) throw new Away();
    return bytes;
  };
  let value: Extract<SiloJournalledEvent, { $case: 'resultVerified' }>['value'];
  const coverage = Coverage.COVERAGE_FULL;
  try {
    const missing = directive.missingInputs.map((ref) => ref.sha256);
    const fetch = (name: string): Uint8Array => {
      if (name.startsWith('sum ')) return bytesOf(directive.sum?.sha256);
      if (name.startsWith('opened ')) return bytesOf(directive.opened?.sha256);
      return bytesOf(missing.find((one) => hex(one) === name));
    };
    const opened = silo.world.trusting ? bytesOf(directive.opened?.sha256) : verifyVectors(result, fetch, missing);
    const rejected = silo.world.rejects(wordsOf(opened));
    const newModelHash = rejected ? plan.modelHash : nextModel(plan.modelHash, opened);
    const outcome = rejected ? Outcome.OUTCOME_REJECTED : Outcome.OUTCOME_APPLIED;
    value = { ...about, failedCode: '', outcome, newModelHash, coverage, endsJob: false };
  } catch (error) {
    if (error instanceof Away) return false;
    if (!(error instanceof CodedError)) throw error;
    const newModelHash = new Uint8Array(32);
    value = {
      ...about,
      failedCode: String(error.code),
      outcome: Outcome.OUTCOME_UNSPECIFIED,
      newModelHash,
      coverage,
      endsJob: false,
    };
  }
  silo.feed({ $case: 'resultVerified', value });
  return true;
}

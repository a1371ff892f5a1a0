// The stored objects of a closed round: what there is, and each as a stream.

import { sha256 } from '../../src/crypto/index.js';
import type { ClosedRound, CoordinatorJob, CoordinatorRound } from '../../src/protocol/index.js';
import { Artefact, encode, Envelope, JobKind, type StoredArtefact } from '../../src/wire/index.js';
import type { AdminCaller } from '../../src/transport/index.js';
import { AdminError } from './errors.js';
import { isClosed } from './round-view.js';
import type { AdminSource, KeptClass } from './source.js';

/** A model state is named by its round's `new_model_hash`, which is no plain SHA-256. */
const NO_HASH = new Uint8Array();

export function artefactsOf(
  source: Pick<AdminSource, 'missingInputs'>,
  job: CoordinatorJob,
  round: ClosedRound | CoordinatorRound,
): StoredArtefact[] {
  const result = isClosed(round) ? round.result : undefined;
  if (result === undefined || !isClosed(round)) return [];
  const envelope = encode(Envelope, result.envelope);
  const stored: StoredArtefact[] = [
    ...(isErased(round, ERASED_BY.vectors)
      ? []
      : [
          { artefact: Artefact.ARTEFACT_OPENED_SUM, blob: result.opened, index: 0 },
          { artefact: Artefact.ARTEFACT_MASKED_SUM, blob: result.sum, index: 0 },
          { artefact: Artefact.ARTEFACT_TRANSCRIPT, blob: result.transcript, index: 0 },
        ]),
    {
      artefact: Artefact.ARTEFACT_RESULT,
      blob: { sha256: sha256(envelope), size: BigInt(envelope.length) },
      index: 0,
    },
  ];
  if (hasModel(job) && !isErased(round, ERASED_BY.models))
    stored.push({ artefact: Artefact.ARTEFACT_MODEL_STATE, blob: { sha256: NO_HASH, size: 0n }, index: 0 });
  if (isErased(round, ERASED_BY.missingInputs)) return stored;
  source.missingInputs(round).forEach((blob, k) => {
    stored.push({ artefact: Artefact.ARTEFACT_MISSING_INPUT, blob, index: result.missing[k] ?? 0 });
  });
  return stored;
}

/** How the log calls the end of each class (retention.ts). */
export const ERASED_BY: Readonly<Record<KeptClass, string>> = {
  missingInputs: 'erase-missing-inputs',
  vectors: 'erase-vectors',
  models: 'erase-model',
};

function isErased({ erased }: ClosedRound, action: string): boolean {
  return erased?.has(action) === true;
}

/** What belongs to no class stands in the log, too. */
const CLASSES: Readonly<Partial<Record<Artefact, KeptClass>>> = {
  [Artefact.ARTEFACT_OPENED_SUM]: 'vectors',
  [Artefact.ARTEFACT_MASKED_SUM]: 'vectors',
  [Artefact.ARTEFACT_TRANSCRIPT]: 'vectors',
  [Artefact.ARTEFACT_MODEL_STATE]: 'models',
  [Artefact.ARTEFACT_MISSING_INPUT]: 'missingInputs',
};

/** Throws AdminError `admin/not-reader`. */
export function demandReader(source: Pick<AdminSource, 'mayRead'>, { role }: AdminCaller, what: KeptClass): void {
  if (!source.mayRead(role, what))
    throw new AdminError('admin/not-reader', `no ${role} is given objects of the class ${what}.`);
}

/** Throws AdminError `admin/not-reader`, `admin/erased`. */
export function demandKept(
  source: Pick<AdminSource, 'mayRead'>,
  caller: AdminCaller,
  round: ClosedRound | CoordinatorRound,
  artefact: Artefact,
): void {
  const what = CLASSES[artefact];
  if (what === undefined) return;
  demandReader(source, caller, what);
  if (isClosed(round) && isErased(round, ERASED_BY[what]))
    throw new AdminError(
      'admin/erased',
      `what round ${String(round.plan.round)} of job "${round.plan.jobId}" had of this kind is erased.`,
    );
}

/** Throws AdminError `admin/no-artefact`. */
export function artefactBytes(
  source: AdminSource,
  job: CoordinatorJob,
  round: ClosedRound | CoordinatorRound,
  { artefact, index }: { readonly artefact: Artefact; readonly index: number },
): AsyncIterable<Uint8Array> {
  const result = isClosed(round) ? round.result : undefined;
  const closed = isClosed(round) ? round : undefined;
  const number = `round ${String(round.plan.round)} of job "${job.manifest.jobId}"`;
  if (result === undefined)
    throw new AdminError(
      'admin/no-artefact',
      `${number} ${isClosed(round) ? 'was abandoned' : 'is still open'} and has no result.`,
    );
  switch (artefact) {
    case Artefact.ARTEFACT_OPENED_SUM:
      return source.readBlob(result.opened);
    case Artefact.ARTEFACT_MASKED_SUM:
      return source.readBlob(result.sum);
    case Artefact.ARTEFACT_TRANSCRIPT:
      return source.readBlob(result.transcript);
    case Artefact.ARTEFACT_RESULT:
      return once(encode(Envelope, result.envelope));
    case Artefact.ARTEFACT_MODEL_STATE:
      if (hasModel(job)) return source.readModelState(job, result.newModelHash);
      throw new AdminError('admin/no-artefact', `job "${job.manifest.jobId}" has no model.`);
    case Artefact.ARTEFACT_MISSING_INPUT: {
      const at = result.missing.indexOf(index);
      const input = closed === undefined || at < 0 ? undefined : source.missingInputs(closed)[at];
      if (input !== undefined) return source.readBlob(input);
      throw new AdminError('admin/no-artefact', `no input of member ${String(index)} is missing in ${number}.`);
    }
    case Artefact.ARTEFACT_FORWARD_MODEL:
      throw new AdminError('admin/no-artefact', 'a forward model belongs to a job: ask for it with round 0.');
    case Artefact.ARTEFACT_UNSPECIFIED:
    case Artefact.UNRECOGNIZED:
      throw new AdminError('admin/no-artefact', `the request names no object of ${number} that this version knows.`);
  }
}

/** Throws AdminError `admin/no-artefact`. */
export function forwardModel(source: AdminSource, { manifest }: CoordinatorJob): AsyncIterable<Uint8Array> {
  const { forwardModel: blob } = manifest.message;
  if (blob === undefined) throw new AdminError('admin/no-artefact', `job "${manifest.jobId}" has no model.`);
  return source.readBlob(blob);
}

function hasModel({ manifest }: CoordinatorJob): boolean {
  return manifest.message.kind !== JobKind.JOB_KIND_STATISTICS;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

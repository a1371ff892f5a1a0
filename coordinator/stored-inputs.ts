// Masked inputs that silos have a receipt for, as they are on the disk. What was confirmed must still be there: a disk that lost part of
// an input may neither spoil a sum nor let an honest silo pass for a liar.

import { equalBytes } from '../src/base/index.js';
import { InputRoot, layoutOfRound, type CoordinatorState, type RoundContext } from '../src/protocol/index.js';
import { StorageError, type CheckReport, type Problem, type StoredUpload } from '../src/storage/index.js';
import { packedBytes } from '../src/vector/index.js';
import { uploadName, type Store } from './store.js';

interface StoredInput {
  readonly name: string;
  readonly bytes: number;
  /** h_i, as the silo signed it. */
  readonly root: Uint8Array;
}

type Uploads = Pick<Store['uploads'], 'upload' | 'names'>;

/** Inputs that a round under way still rests on. */
export function inputsOf(state: CoordinatorState): StoredInput[] {
  const inputs: StoredInput[] = [];
  for (const { open } of state.jobs.values()) {
    if (open === undefined || open.attempt.phase === 'aborted') continue;
    const { context, masked } = open.attempt;
    for (const { index, root } of masked.values())
      inputs.push({ name: nameOf(context, index), bytes: bytesOf(context), root });
  }
  return inputs;
}

/** At a start, by their lengths, which costs nothing. Throws StorageError `storage/damaged`. */
export async function demandLengths(state: CoordinatorState, uploads: Uploads): Promise<void> {
  const known = new Set(await uploads.names());
  for (const { name, bytes } of inputsOf(state)) {
    const length = known.has(name) ? (await uploads.upload(name)).length : 0;
    if (length !== bytes) throw lost(name, `has ${String(length)} bytes, and ${String(bytes)} were confirmed`);
  }
}

/** For fsck: every input is hashed. */
export async function checkInputs(state: CoordinatorState, uploads: Uploads): Promise<CheckReport> {
  const problems: Problem[] = [];
  const known = new Set(await uploads.names());
  let whole = 0;
  for (const { name, root } of inputsOf(state)) {
    if (!known.has(name)) problems.push({ where: name, what: 'was confirmed and is not there' });
    else if (equalBytes(await rootOf(await uploads.upload(name)), root)) whole += 1;
    else problems.push({ where: name, what: 'its bytes are not those that were confirmed' });
  }
  return { whole, problems };
}

/** Before a silo is called a liar for its input. Throws StorageError `storage/damaged`. */
export async function demandConfirmed(
  context: RoundContext,
  index: number,
  root: Uint8Array,
  upload: StoredUpload,
): Promise<void> {
  if (!equalBytes(await rootOf(upload), root))
    throw lost(nameOf(context, index), 'does not hold the bytes that were confirmed');
}

async function rootOf(upload: StoredUpload): Promise<Uint8Array> {
  const root = new InputRoot();
  for await (const bytes of upload.readChunks(1 << 20)) root.update(bytes);
  return root.digest();
}

function nameOf({ plan, attempt }: RoundContext, index: number): string {
  return uploadName(plan.rid, attempt.attempt, index);
}

function bytesOf({ plan, manifest }: RoundContext): number {
  return packedBytes(layoutOfRound(manifest, plan.round).length, manifest.modulusBits);
}

function lost(name: string, what: string): StorageError {
  return new StorageError('storage/damaged', `the upload ${name} ${what}`);
}

// Inputs of open rounds on disk: the vector sealed in a file, and beside it what the input rule must know of it. Written once: what is
// computed again after a crash, perhaps on changed records, never replaces what may already have been masked.

import { concat, HASH_BYTES, type Hash, hex, u16be, utf8, fromUtf8 } from '../src/base/index.js';
import type { MaskableVector } from '../src/job/index.js';
import type { Store } from './store.js';

export interface StoredInput {
  /** Name of the input, 32 bytes. */
  readonly inputHash: Hash;
  /** §3, 32 bytes each. */
  readonly inputKeys: readonly Uint8Array[];
  readonly dataSet: string;
  /** What the log calls the version of the data set, 32 bytes. */
  readonly dataSetVersion: Uint8Array;
}

/** File name of a stored input: 24 of its 32 bytes, which is what a name has room for. */
export function inputName(inputHash: Uint8Array): string {
  return hex(inputHash.subarray(0, 24));
}

function keysEntry(name: string): string {
  return `input/${name}`;
}

/** What was stored before, whole; undefined when there is nothing, or a crash came between its two parts. */
export async function storedInput({ inputs, journal }: Store, inputHash: Hash): Promise<StoredInput | undefined> {
  const name = inputName(inputHash);
  const entry = journal.get(keysEntry(name));
  if (entry === undefined || !(await inputs.has(name))) return undefined;
  // u16be count, the keys, what the log calls the version, the name of the data set.
  const count = ((entry[0] ?? 0) << 8) | (entry[1] ?? 0);
  const keyAt = (k: number): number => 2 + HASH_BYTES * k;
  const inputKeys = Array.from({ length: count }, (_, k) => entry.slice(keyAt(k), keyAt(k + 1)));
  const dataSetVersion = entry.slice(keyAt(count), keyAt(count + 1));
  return { inputHash, inputKeys, dataSet: fromUtf8(entry.subarray(keyAt(count + 1))), dataSetVersion };
}

/** The vector first: without its keys it does not count as stored, and is then written anew. */
export async function storeInput(
  { inputs, journal }: Store,
  input: StoredInput,
  vector: MaskableVector,
): Promise<void> {
  const name = inputName(input.inputHash);
  await inputs.delete(name);
  await inputs.put(name, new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength));
  const entry = concat(u16be(input.inputKeys.length), ...input.inputKeys, input.dataSetVersion, utf8(input.dataSet));
  await journal.put(keysEntry(name), entry);
}

export async function forgetInput({ inputs, journal }: Store, name: string): Promise<void> {
  await journal.delete(keysEntry(name));
  await inputs.delete(name);
}

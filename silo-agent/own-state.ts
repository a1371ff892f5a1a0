// What a silo keeps of a job for itself from round to round and never sends: its control variate of SCAFFOLD and its local parameters. Sealed on disk. What a round
// made counts only when that round is applied with this silo's input in the sum; until then it waits beside what counts.

import { concat, HASH_BYTES, hex, utf8 } from '../src/base/index.js';
import { sha256 } from '../src/crypto/index.js';
import type { Store } from './store.js';

type OwnStore = Pick<Store, 'own'>;

/** File name of a job's state; 24 of 32 bytes is what a name has room for. */
function nameOf(kind: 'kept' | 'waiting', jobId: string): string {
  return hex(sha256(utf8(`${kind}/${jobId}`)).subarray(0, 24));
}

/** The numbers that count; undefined before any round of the job. */
export async function readOwn({ own }: OwnStore, jobId: string): Promise<Float64Array | undefined> {
  const name = nameOf('kept', jobId);
  if (!(await own.has(name))) return undefined;
  const bytes = await readAll(own, name);
  return new Float64Array(bytes.slice(HASH_BYTES).buffer);
}

/** Lays aside what round `rid` made. What another round left here is overwritten: that round did not count. */
export async function layAside({ own }: OwnStore, jobId: string, rid: Uint8Array, values: Float64Array): Promise<void> {
  const name = nameOf('waiting', jobId);
  await own.delete(name);
  await own.put(name, concat(rid, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)));
}

/** Round `rid` is applied and this silo's input is in its sum. Doing it again, after a crash, changes nothing. */
export async function keepOwn({ own }: OwnStore, jobId: string, rid: Uint8Array): Promise<void> {
  const waiting = nameOf('waiting', jobId);
  if (!(await own.has(waiting))) return;
  const bytes = await readAll(own, waiting);
  if (hex(bytes.subarray(0, HASH_BYTES)) !== hex(rid)) return;
  const kept = nameOf('kept', jobId);
  // Between the two steps only `waiting` holds it, and a crash there comes back here.
  await own.delete(kept);
  await own.put(kept, bytes);
  await own.delete(waiting);
}

async function readAll(own: Store['own'], name: string): Promise<Uint8Array> {
  const blocks: Uint8Array[] = [];
  for await (const block of own.read(name)) blocks.push(block);
  return concat(...blocks);
}

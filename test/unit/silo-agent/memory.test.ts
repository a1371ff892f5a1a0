// What a silo holds while it masks, uploads, fingerprints and checks: vectors counted in bytes of buffers, whatever the number of silos.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { HERE, RANGE_COORDINATES, type Lane } from '../../../src/compute/index.js';
import { freeKeystreamsBy, hash, LABELS, SecretBytes } from '../../../src/crypto/index.js';
import { SealedStore, Sealer } from '../../../src/storage/index.js';
import { bufferFreeing } from '../../../src/system/index.js';
import { inputName } from '../../../silo-agent/input-store.js';
import { KeptInput } from '../../../silo-agent/kept-input.js';
import { MaskedInput } from '../../../silo-agent/masked-input.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const LENGTH = 1 << 20;
const VECTOR_BYTES = 4 * LENGTH;
const inputHash = hash(LABELS.inputKey, Uint8Array.of(7));
const t3 = hash(LABELS.inputKey, Uint8Array.of(5));
/** Ranges under way as with two threads, in memory that this thread's collector alone decides on. */
const lane: Lane = { ...HERE, range: RANGE_COORDINATES, window: 3 };

async function stored(): Promise<SealedStore> {
  const root = SecretBytes.of<'storage-root'>(new Uint8Array(32).fill(9));
  const inputs = await SealedStore.open(temporaryFolder(), Sealer.derive(root, 'agent-inputs'));
  await inputs.put(inputName(inputHash), new Uint8Array(VECTOR_BYTES));
  return inputs;
}

/** Bytes of all buffers that are still in use. */
function held(): number {
  // A second time waits until what the first has found is given back.
  collect();
  collect();
  return process.memoryUsage().arrayBuffers;
}

/** The most that masking, uploading and fingerprinting among `n` silos hold at once, in vectors of 32-bit words. */
async function vectorsHeld(inputs: SealedStore, n: number, keep: boolean): Promise<number> {
  const before = held();
  let most = 0;
  const keys = (count: number) => Array.from({ length: count }, (_, k) => new Uint8Array(32).fill(k));
  const input = new MaskedInput({
    inputs,
    inputHash,
    length: LENGTH,
    masks: { add: keys(Math.ceil(n / 2)), subtract: keys(Math.floor(n / 2)) },
    modulusBits: 24,
    kept: keep ? KeptInput.of(new Uint8Array(32), 1, LENGTH, lane) : undefined,
    lane,
  });
  let bytes = 0;
  for await (const piece of input.read(0)) {
    bytes += piece.length;
    most = Math.max(most, held() - before);
  }
  expect(bytes).toBe(3 * LENGTH);
  await input.fingerprints({ t3 });
  return Math.max(most, held() - before) / VECTOR_BYTES;
}

describe('a silo between its stored input and its upload', () => {
  it('holds at most three vectors, however many silos there are', async () => {
    // As the programs do: what it frees is no longer held.
    freeKeystreamsBy(bufferFreeing());
    const inputs = await stored();
    const small = await vectorsHeld(inputs, 5, true);
    const large = await vectorsHeld(inputs, 60, true);
    // The kept vector, and the ranges under way.
    expect(small).toBeGreaterThan(1);
    expect(large).toBeLessThan(3);
    expect(Math.abs(large - small)).toBeLessThan(0.01);
    // Positive control: what is not kept is not counted.
    expect(await vectorsHeld(inputs, 5, false)).toBeLessThan(small - 0.2);
  });
});

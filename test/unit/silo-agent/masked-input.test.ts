// A silo's masked vector on its way: uploaded, hashed and fingerprinted, masked once where it can be kept.

import { describe, expect, it } from 'vitest';
import { hash, LABELS, SecretBytes } from '../../../src/crypto/index.js';
import { HERE } from '../../../src/compute/index.js';
import { PIECE_COORDINATES } from '../../../src/protocol/index.js';
import { SealedStore, Sealer } from '../../../src/storage/index.js';
import { inputName } from '../../../silo-agent/input-store.js';
import { KeptInput } from '../../../silo-agent/kept-input.js';
import { MaskedInput } from '../../../silo-agent/masked-input.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const inputHash = hash(LABELS.inputKey, Uint8Array.of(7));
const length = 2 * PIECE_COORDINATES + 41;
const rid = new Uint8Array(32).fill(1);
const survivors = { t3: hash(LABELS.inputKey, Uint8Array.of(5)) };

async function stored(): Promise<SealedStore> {
  const root = SecretBytes.of<'storage-root'>(new Uint8Array(32).fill(9));
  const inputs = await SealedStore.open(temporaryFolder(), Sealer.derive(root, 'agent-inputs'));
  const values = Int32Array.from({ length }, (_, k) => (k % 1000) - 500);
  await inputs.put(inputName(inputHash), new Uint8Array(values.buffer));
  return inputs;
}

/** The keys are overwritten when an input takes them: everybody gets their own. */
function inputOf(inputs: SealedStore, kept?: KeptInput, modulusBits = 24): MaskedInput {
  const masks = { add: [new Uint8Array(32).fill(2)], subtract: [new Uint8Array(32).fill(3)] };
  return new MaskedInput({ inputs, inputHash, length, masks, modulusBits, kept });
}

async function bytesOf(input: MaskedInput, offset = 0): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of input.read(offset)) chunks.push(chunk.slice());
  return Buffer.concat(chunks);
}

describe('a masked input', () => {
  it('that is kept gives the same bytes, root and fingerprints, without its masks and what was stored', async () => {
    const inputs = await stored();
    const plain = inputOf(inputs);
    const expected = {
      bytes: await bytesOf(plain),
      root: await plain.root(),
      taus: await plain.fingerprints(survivors),
    };
    const kept = KeptInput.of(rid, 1, length, HERE)!;
    const uploaded = inputOf(inputs, kept);
    expect((await bytesOf(uploaded)).equals(expected.bytes)).toBe(true);
    expect(await uploaded.root()).toEqual(expected.root);
    uploaded.wipe();
    await inputs.delete(inputName(inputHash));
    const later = inputOf(inputs, kept);
    later.wipe();
    expect(await later.fingerprints(survivors)).toEqual(expected.taus);
    expect((await bytesOf(later, 1000)).equals(expected.bytes.subarray(1000))).toBe(true);
    // Without the kept words there is nothing left to mask.
    await expect(inputOf(inputs).fingerprints(survivors)).rejects.toThrow();
  });

  it('is kept whole or not used: a broken upload leaves a part, the next completes it', async () => {
    const inputs = await stored();
    const expected = await bytesOf(inputOf(inputs));
    const kept = KeptInput.of(rid, 1, length, HERE)!;
    for await (const chunk of inputOf(inputs, kept).read(0)) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    expect(kept.words).toBeUndefined();
    const again = inputOf(inputs, kept);
    expect((await bytesOf(again, 3 * PIECE_COORDINATES)).equals(expected.subarray(3 * PIECE_COORDINATES))).toBe(true);
    expect(kept.words).toHaveLength(length);
  });

  it('is masked right by passes that overlap: an upload begun anew, its fingerprints, and the one that broke off', async () => {
    const inputs = await stored();
    const plain = inputOf(inputs);
    const expected = await bytesOf(plain);
    const kept = KeptInput.of(rid, 1, length, HERE)!;
    const first = inputOf(inputs, kept).read(0);
    const { value: begun } = (await first.next()) as IteratorResult<Uint8Array, undefined>;
    const head = begun?.slice() ?? new Uint8Array();
    const [second, taus] = await Promise.all([
      bytesOf(inputOf(inputs, kept)),
      inputOf(inputs, kept).fingerprints(survivors),
    ]);
    expect(second.equals(expected)).toBe(true);
    expect(taus).toEqual(await plain.fingerprints(survivors));
    const rest: Uint8Array[] = [];
    for await (const chunk of first) rest.push(chunk.slice());
    expect(Buffer.concat([head, ...rest]).equals(expected)).toBe(true);
    expect((await bytesOf(inputOf(inputs, kept))).equals(expected)).toBe(true);
  });

  it('takes its mask keys over and leaves no copy with whoever gave them', async () => {
    const masks = { add: [new Uint8Array(32).fill(2)], subtract: [new Uint8Array(32).fill(3)] };
    const inputs = await stored();
    const input = new MaskedInput({ inputs, inputHash, length, masks, modulusBits: 24 });
    expect([...masks.add, ...masks.subtract]).toEqual([new Uint8Array(32), new Uint8Array(32)]);
    expect((await bytesOf(input)).equals(await bytesOf(inputOf(inputs)))).toBe(true);
    input.wipe();
    expect((await bytesOf(input)).equals(await bytesOf(inputOf(inputs)))).toBe(false);
  });

  it('is kept for one attempt of one round, and not beyond 128 MiB', () => {
    const kept = KeptInput.of(rid, 2, length, HERE)!;
    expect([kept.isOf(rid, 2), kept.isOf(rid, 1), kept.isOf(new Uint8Array(32), 2)]).toEqual([true, false, false]);
    const nothing = { room: () => new Uint8Array() };
    expect(KeptInput.of(rid, 1, 32 * 1024 ** 2, nothing)).toBeDefined();
    expect(KeptInput.of(rid, 1, 32 * 1024 ** 2 + 1, nothing)).toBeUndefined();
  });
});

// What a round costs in verifications of Ed25519, exactly: every signature on a checkpoint or a message is verified once by each silo,
// however often it is shown.

import type * as NodeCrypto from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { LIMITS, utf8 } from '../../../src/base/index.js';
import { verifierFor } from '../../../src/protocol/check/verified-notes.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { found, keyFrom } from '../../support/memory/founding.js';

const counted = vi.hoisted(() => ({ notes: 0, messages: 0 }));
const FIRST_OF_TEXT = 0x20;

vi.mock('node:crypto', async (original) => {
  const real = await original<typeof NodeCrypto>();
  return {
    ...real,
    verify: (_: null, data: Uint8Array, key: NodeCrypto.KeyObject, signature: Uint8Array): boolean => {
      // Only notes are signed without a label, and only they begin with a printable character.
      if ((data[0] ?? 0) >= FIRST_OF_TEXT) counted.notes += 1;
      else counted.messages += 1;
      return real.verify(null, data, key, signature);
    },
  };
});

/** In all rounds of a consortium of n. */
function notesVerified(n: number, roundLimit: number): number {
  const before = counted.notes;
  const consortium = new MemoryConsortium(n, { manifest: { roundLimit }, log: true });
  consortium.run();
  expect(consortium.job.closed.filter(({ result }) => result !== undefined).length).toBe(roundLimit);
  return counted.notes - before;
}

describe('a round on the log', () => {
  it.each([4, 7])(
    'has each of %i silos verify the log and every witness once, and the coordinator every witness',
    (n) => {
      const silo = 1 + n;
      // The first round also has the Hellos of all.
      expect(notesVerified(n, 2) - notesVerified(n, 1)).toBe(n * silo + n);
    },
  );
});

describe('a round without disturbance', () => {
  it.each([4, 7])('has each of %i silos verify every message that it gets once', (n) => {
    const verified = (roundLimit: number): number => {
      const before = counted.messages;
      new MemoryConsortium(n, { manifest: { roundLimit } }).run();
      return counted.messages - before;
    };
    const t = Math.floor((2 * n) / 3) + 1;
    // Plan, start, survivors, result and the receipt of its own input from the coordinator; keys, shares, input and fingerprints of all.
    const silo = 5 + 4 * n;
    // Keys, shares, shares checked, input, fingerprints and Ack of all, and t releases; its own plan, start and survivors as it keeps them.
    const coordinator = 6 * n + t + 3;
    expect(verified(2) - verified(1)).toBe(n * silo + coordinator);
  });
});

describe('verifierFor', () => {
  const { roster } = found(4);
  const key = keyFrom('witness');
  const message = utf8('a note\n');
  const signature = key.signNote(message);
  const counting = (): { calls: number; verify: (k: Uint8Array, m: Uint8Array, s: Uint8Array) => boolean } => {
    const one = {
      calls: 0,
      verify: (_: Uint8Array, __: Uint8Array, s: Uint8Array) => {
        one.calls += 1;
        return s[0] === signature[0];
      },
    };
    return one;
  };

  it('asks once about a valid signature, again for another roster, and each time about one that does not verify', () => {
    const one = counting();
    const verify = verifierFor({ ...roster }, one.verify);
    expect([1, 2, 3].map(() => verify(key.publicKey, message, signature))).toEqual([true, true, true]);
    expect(one.calls).toBe(1);
    expect(verifierFor({ ...roster }, one.verify)(key.publicKey, message, signature)).toBe(true);
    expect(one.calls).toBe(2);
    const wrong = signature.map((byte) => byte ^ 1);
    expect([1, 2].map(() => verify(key.publicKey, message, wrong))).toEqual([false, false]);
    expect(one.calls).toBe(4);
  });

  it('asks about every other key, message and signature', () => {
    const one = counting();
    const verify = verifierFor({ ...roster }, one.verify);
    verify(key.publicKey, message, signature);
    verify(keyFrom('other').publicKey, message, signature);
    verify(key.publicKey, utf8('another note\n'), signature);
    verify(key.publicKey, message, signature.with(63, signature[63]! ^ 1));
    expect(one.calls).toBe(4);
  });

  it('refuses other lengths unasked: bytes cannot move between signature and message', () => {
    const one = counting();
    const verify = verifierFor({ ...roster }, one.verify);
    verify(key.publicKey, message, signature);
    const moved = new Uint8Array([signature[63]!, ...message]);
    expect(verify(key.publicKey, moved, signature.subarray(0, 63))).toBe(false);
    expect(one.calls).toBe(1);
  });

  it('remembers a bounded number', () => {
    const one = counting();
    const verify = verifierFor({ ...roster }, one.verify);
    for (let k = 0; k <= LIMITS.verifiedNoteSignatures; k++) verify(key.publicKey, utf8(`note ${k}\n`), signature);
    verify(key.publicKey, utf8(`note ${LIMITS.verifiedNoteSignatures}\n`), signature);
    expect(one.calls).toBe(LIMITS.verifiedNoteSignatures + 1);
    verify(key.publicKey, utf8('note 0\n'), signature);
    expect(one.calls).toBe(LIMITS.verifiedNoteSignatures + 2);
  });
});

// Reading sums of powers, and signing in the coordinator's or a silo's name what they would never sign themselves.

import type { SiloId } from '../../../src/base/index.js';
import { hash, LABELS, type SignedType } from '../../../src/crypto/index.js';
import { COORDINATOR, seal, siloSigner } from '../../../src/protocol/index.js';
import { decode, ShareHeader, type Envelope, type MessageType } from '../../../src/wire/index.js';
import type { MemoryConsortium } from './consortium.js';
import { BASE, type Founded } from './founding.js';
import type { MemorySilo } from './silo.js';

/** Which silos a sum holds, read off its digits; throws when a digit is neither 0 nor 1. */
export function membersOf(sum: Int32Array, n: number): number[] {
  return Array.from({ length: n }, (_, i) => i).filter((i) => {
    const digit = Math.floor(sum[Math.floor(i / 10)]! / BASE ** (i % 10)) % BASE;
    if (digit > 1) throw new Error(`silo ${i} is in the sum ${digit} times`);
    return digit === 1;
  });
}

/** Members of the sum that a round opened. */
export function openedIn(consortium: MemoryConsortium, round: number): number[] {
  return membersOf(consortium.openedSums.get(round)!, consortium.silos.length);
}

/** 0..n−1 without some. */
export function allBut(n: number, ...without: number[]): number[] {
  return Array.from({ length: n }, (_, i) => i).filter((i) => !without.includes(i));
}

/** The same message with changes, signed again by the coordinator. */
export function byCoordinator<T>(
  founded: Founded,
  envelope: Envelope,
  codec: MessageType<T>,
  change: (message: T) => Partial<T>,
): Envelope {
  const message = decode(codec, 'message', envelope.payload, 1 << 24);
  // Only signed types are handed in here.
  const type = envelope.type as SignedType;
  return seal(founded.coordinatorKey, COORDINATOR, type, codec, { ...message, ...change(message) });
}

/** The same message with changes, signed again by its silo. */
export function bySilo<T>(
  founded: Founded,
  silo: SiloId,
  envelope: Envelope,
  codec: MessageType<T>,
  change: (message: T) => Partial<T>,
): Envelope {
  const message = decode(codec, 'message', envelope.payload, 1 << 24);
  // Only signed types are handed in here.
  const type = envelope.type as SignedType;
  return seal(founded.keyOf(silo), siloSigner(silo), type, codec, { ...message, ...change(message) });
}

/** From now on the shares of this silo match its commitments, and the commitment to its secret is to another one. */
export function commitsToAnother({ founded }: MemoryConsortium, dealer: MemorySilo): void {
  dealer.tamper = (envelope, ciphertexts) => ({
    envelope:
      envelope.type === 'share-header'
        ? bySilo(founded, dealer.id, envelope, ShareHeader, ({ t1 }) => ({
            selfCommitment: hash(LABELS.commitSelfSecret, t1, Uint8Array.of(0, dealer.index), new Uint8Array(32)),
          }))
        : envelope,
    ciphertexts,
  });
}

/** Every bit of every signed message that a silo sent under one type, without repetition. */
export function distinctSent(silo: MemorySilo, type: SignedType): Envelope[] {
  const seen = new Map<string, Envelope>();
  for (const envelope of silo.sent)
    if (envelope.type === type) seen.set(Buffer.from(envelope.payload).toString('hex'), envelope);
  return [...seen.values()];
}

/** The one job of a silo. */
export function jobOf(silo: MemorySilo): NonNullable<ReturnType<MemorySilo['state']['jobs']['get']>> {
  return [...silo.state.jobs.values()][0]!;
}

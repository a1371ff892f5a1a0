// Stopping a consortium just before something happens, and trying what must be refused there: the code that came, after making sure
// that neither state nor journal changed.

import { concat, unixMs, type SiloId } from '../../../src/base/index.js';
import type { SignedType } from '../../../src/crypto/index.js';
import { advanceCoordinator, COORDINATOR, type CoordinatorEvent } from '../../../src/protocol/index.js';
import type { Directive, Envelope } from '../../../src/wire/index.js';
import type { MemoryConsortium } from './consortium.js';
import type { Founded } from './founding.js';
import type { MemorySilo } from './silo.js';

type Body = NonNullable<Directive['body']>;
export type Told = Body['$case'];
export type BodyOf<Kind extends Told> = Extract<Body, { $case: Kind }>['value'];

class Reached extends Error {}

/** Runs until the silo would be told this; returns it without delivering it. */
export function until<Kind extends Told>(
  consortium: MemoryConsortium,
  kind: Kind,
  index = 0,
): { silo: MemorySilo; value: BodyOf<Kind>; sequence: bigint } {
  let held: Body | undefined;
  let sequence = 0n;
  const before = consortium.hooks;
  consortium.hooks = {
    ...before,
    deliver: (silo, directive) => {
      if (silo.index !== index || directive.body?.$case !== kind) return before.deliver?.(silo, directive) ?? true;
      held = directive.body;
      sequence = directive.sequence;
      throw new Reached();
    },
  };
  stopped(() => {
    consortium.run();
  });
  consortium.hooks = before;
  if (held === undefined) throw new Error(`nobody was ever told ${kind}`);
  // The kind was compared above.
  return { silo: consortium.silos[index]!, value: held.value as BodyOf<Kind>, sequence };
}

/** Runs until the silo would hand in a message of this type; returns it without its arriving. */
export function untilSent(
  consortium: MemoryConsortium,
  type: SignedType,
  index = 0,
): { silo: MemorySilo; envelope: Envelope; ciphertexts: readonly Uint8Array[] } {
  let held: { envelope: Envelope; ciphertexts: readonly Uint8Array[] } | undefined;
  const sender = consortium.silos[index]!;
  const usual = sender.tamper;
  sender.tamper = (envelope, ciphertexts) => {
    if (envelope.type !== type) return usual(envelope, ciphertexts);
    held = { envelope, ciphertexts };
    throw new Reached();
  };
  stopped(() => {
    consortium.run();
  });
  sender.tamper = usual;
  if (held === undefined) throw new Error(`nobody ever sent a ${type}`);
  return { silo: sender, ...held };
}

function stopped(run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof Reached)) throw error;
  }
}

/** The code with which a silo refuses to be told this. */
export function refusedBySilo(silo: MemorySilo, body: Body): string {
  const { state } = silo;
  const records = silo.journal.length;
  const rejections = silo.rejections.length;
  silo.handle({ sequence: 1n << 60n, body });
  if (silo.state !== state || silo.journal.length !== records) throw new Error('the state changed');
  return silo.rejections[rejections]?.code ?? 'accepted';
}

/** The code with which the coordinator refuses a message. */
export function refusedByCoordinator(
  consortium: MemoryConsortium,
  from: SiloId,
  envelope: Envelope | undefined,
  ciphertexts: readonly Uint8Array[] = [],
): string {
  const state = consortium.coordinator;
  const records = consortium.journal.length;
  const rejections = consortium.rejections.length;
  consortium.receive(from, { envelope, ciphertexts: [...ciphertexts] });
  if (consortium.coordinator !== state || consortium.journal.length !== records) throw new Error('the state changed');
  return consortium.rejections[rejections]?.rejection.code ?? 'accepted';
}

/** The code with which the coordinator refuses an event of its own. */
export function refusedEvent(consortium: MemoryConsortium, event: CoordinatorEvent): string {
  const done = advanceCoordinator(consortium.coordinator, { at: unixMs(consortium.time), event });
  return 'rejected' in done ? done.rejected.code : 'accepted';
}

/** Other bytes that parse to the same message, signed again: a field that no version knows. */
export function otherBytes(founded: Founded, envelope: Envelope): Envelope {
  const payload = concat(envelope.payload, Uint8Array.of(0x98, 0x06, 0x01));
  // Only signed types are handed in here.
  const type = envelope.type as SignedType;
  const key =
    envelope.signer === COORDINATOR
      ? founded.coordinatorKey
      : founded.keyOf(envelope.signer.slice('silo/'.length) as SiloId);
  return { ...envelope, payload, signature: key.sign(type, payload) };
}

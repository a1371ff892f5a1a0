// What every check of a round's messages needs to know. Shared by silo, coordinator and auditor: one definition of what is valid.

import type { SiloId } from '../../base/index.js';
import type { SignedType } from '../../crypto/index.js';
import type { Envelope, MessageType } from '../../wire/index.js';
import { openEnvelope, type Opened } from '../envelope.js';
import type { Manifest } from '../manifest.js';
import { layoutOfRound } from '../manifest.js';
import type { Attempt, Plan } from '../plan.js';
import { demanded } from '../rejection.js';
import { siloSigner, type Roster } from '../roster.js';

export interface RoundContext {
  readonly roster: Roster;
  readonly manifest: Manifest;
  readonly plan: Plan;
  readonly attempt: Attempt;
}

export function siloAt(context: RoundContext, index: number): SiloId {
  return demanded(
    context.plan.cohort[index],
    'message/unexpected',
    `the cohort has ${String(context.plan.n)} members, there is none with index ${String(index)}.`,
  );
}

/** d of this round. */
export function vectorLength(context: RoundContext): number {
  return layoutOfRound(context.manifest, context.plan.round).length;
}

/** Opens a message of the cohort whose payload names its sender's index. */
export function openMemberMessage<T extends { readonly index: number }>(
  context: RoundContext,
  envelope: Envelope,
  type: SignedType,
  codec: MessageType<T>,
): Opened<T> {
  // The index inside says whose key must have signed; it is read only after that key's signature was verified.
  const claimed = context.plan.cohort.findIndex((silo) => siloSigner(silo) === envelope.signer);
  const silo = siloAt(context, claimed);
  const opened = openEnvelope(context.roster, envelope, { type, signer: siloSigner(silo) }, codec);
  demanded(
    opened.message.index === claimed ? true : undefined,
    'envelope/wrong-signer',
    `${envelope.signer} has index ${String(claimed)} and signed a ${type} for index ${String(opened.message.index)}.`,
  );
  return opened;
}

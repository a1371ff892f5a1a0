// Folding a journal: the same events must be accepted again and give the same signed messages, byte for byte. Anything else means that the
// journal is damaged or was written by a version that spoke otherwise, and going on could sign two different things under one transcript.

import { err, LIMITS, ok, unixMs, type Result } from '../base/index.js';
import { CoordinatorRecord, decode, SiloRecord, type Envelope } from '../wire/index.js';
import { advanceCoordinator } from './coordinator/advance.js';
import type { CoordinatorState } from './coordinator/state.js';
import { equalEnvelopes } from './envelope.js';
import { orRejection, type Rejection } from './rejection.js';
import { advanceSilo } from './silo/advance.js';
import type { SiloPolicy, SiloState } from './silo/state.js';

/** The one format of records that this version writes and reads. */
export const RECORD_VERSION = 1;

/**
 * The state after one record of a silo's journal, or why it cannot be. What was accepted under the policy of its day stays accepted,
 * whatever the policy is now: an operator may raise a floor and start again.
 */
export function replaySilo(state: SiloState, bytes: Uint8Array): Result<SiloState, string> {
  const { self } = state;
  const past = { ...state, self: { ...self, policy: policyOfItsDay(self.policy) } };
  const done = replay(SiloRecord, bytes, (at, event) => advanceSilo(past, { at, event }));
  return done.ok ? ok({ ...done.value, self: { ...done.value.self, policy: self.policy } }) : done;
}

/** Refuses nothing that any policy might have accepted; what is forgotten for want of danger still follows the present one. */
function policyOfItsDay(policy: SiloPolicy): SiloPolicy {
  return {
    ...policy,
    minCohort: LIMITS.cohortMin,
    minHonest: 2,
    maxMalicious: 0,
    maliciousWhenForgetting: policy.maxMalicious,
    roundsPerDay: Number.MAX_SAFE_INTEGER,
    budgets: undefined,
    differencing: 'warn',
    graph: 'regular',
  };
}

/**
 * The state after one record of a coordinator's journal, or why it cannot be. `onAppend` is told the entries that the record adds to the
 * transparency log, and the index of the first.
 */
export function replayCoordinator(
  state: CoordinatorState,
  bytes: Uint8Array,
  onAppend: (first: number, entries: readonly Uint8Array[]) => void = () => undefined,
): Result<CoordinatorState, string> {
  return replay(CoordinatorRecord, bytes, (at, event) => {
    const done = advanceCoordinator(state, { at, event });
    if ('accepted' in done)
      for (const effect of done.accepted.effects) if (effect.kind === 'append') onAppend(effect.first, effect.entries);
    return done;
  });
}

interface StoredRecord<Event> {
  readonly version: number;
  readonly atUnixMs: bigint;
  readonly emitted: readonly Envelope[];
  readonly event?: Event | undefined;
}

interface Advanced<State> {
  readonly accepted: {
    readonly state: State;
    readonly effects: readonly ({ readonly kind: string } | PersistEffect)[];
  };
}

interface PersistEffect {
  readonly kind: 'persist';
  readonly emitted: readonly Envelope[];
}

function replay<State, Event>(
  codec: Parameters<typeof decode<StoredRecord<Event>>>[0],
  bytes: Uint8Array,
  advance: (at: ReturnType<typeof unixMs>, event: Event) => Advanced<State> | { readonly rejected: Rejection },
): Result<State, string> {
  const read = orRejection(() => decode(codec, 'journal record', bytes, LIMITS.journalRecordBytes));
  if ('rejected' in read) return err(read.rejected.detail);
  const { version, event, atUnixMs, emitted } = read.accepted;
  if (version !== RECORD_VERSION)
    return err(
      `it has version ${String(version)}, this program reads ${String(RECORD_VERSION)}: start the version that wrote it, or follow "Upgrade" in docs/operations.md`,
    );
  if (event === undefined) return err('it holds no event that this program knows');
  const done = advance(unixMs(Number(atUnixMs)), event);
  if ('rejected' in done) return err(`it is refused now: ${done.rejected.code}`);
  const { state, effects } = done.accepted;
  const given = effects.flatMap((effect) => ('emitted' in effect ? effect.emitted : []));
  const same = given.length === emitted.length && given.every((one, k) => sameAs(one, emitted[k]));
  return same ? ok(state) : err('it gives other signed messages than were sent');
}

function sameAs(one: Envelope, other: Envelope | undefined): boolean {
  return other !== undefined && equalEnvelopes(one, other);
}

// What stopped programs left on disk: whole, foldable into the same signed messages, and the same on both sides.

import { join } from 'node:path';
import { asSiloId, equalBytes, hex, unixMs, type SiloId } from '../../../src/base/index.js';
import { SigningKey } from '../../../src/crypto/index.js';
import { readSigningKey } from '../../../src/pki/index.js';
import {
  advanceCoordinator,
  advanceSilo,
  equalEnvelopes,
  initialCoordinatorState,
  initialSiloState,
  type CoordinatorState,
  type SiloState,
} from '../../../src/protocol/index.js';
import {
  BlobStore,
  checkBlobs,
  checkJournal,
  checkSealed,
  Journal,
  openStorageKey,
  SealedStore,
  Sealer,
} from '../../../src/storage/index.js';
import { Hasher, LABELS } from '../../../src/crypto/index.js';
import {
  AdvertiseKeys,
  CoordinatorRecord,
  decode,
  Decline,
  Abort,
  SiloRecord,
  type Envelope,
} from '../../../src/wire/index.js';
import type { Founded } from './founding.js';

const JOURNAL = 'events';
const RECORD_BYTES = 8 * 1024 * 1024;
const FOLDERS = { coordinator: 'coordinator-journal', agent: 'agent-journal' } as const;

async function recordsOf(founded: Founded, name: string, kind: keyof typeof FOLDERS): Promise<Uint8Array[]> {
  const root = await openStorageKey(founded.at(`${name}.storage.key`));
  const sealer = Sealer.derive(root, FOLDERS[kind]);
  const journal = await Journal.open({ path: founded.at('state', name, 'journal'), sealer });
  try {
    const records: Uint8Array[] = [];
    for await (const { bytes } of journal.readAll(JOURNAL)) records.push(bytes);
    return records;
  } finally {
    await journal.close();
  }
}

export async function coordinatorRecords(founded: Founded): Promise<CoordinatorRecord[]> {
  const records = await recordsOf(founded, 'coordinator', 'coordinator');
  return records.map((bytes) => decode(CoordinatorRecord, 'record', bytes, RECORD_BYTES));
}

export async function siloRecords(founded: Founded, silo: string): Promise<SiloRecord[]> {
  return (await recordsOf(founded, silo, 'agent')).map((bytes) => decode(SiloRecord, 'record', bytes, RECORD_BYTES));
}

interface Step<State> {
  readonly state: State;
  readonly emitted: readonly Envelope[];
}

function fold<Record extends { emitted: Envelope[] }, State>(
  records: readonly Record[],
  first: State,
  step: (state: State, record: Record) => Step<State>,
): State {
  let state = first;
  records.forEach((record, k) => {
    const next = step(state, record);
    const { emitted } = next;
    const same =
      emitted.length === record.emitted.length && emitted.every((one, i) => equalEnvelopes(one, record.emitted[i]!));
    if (!same) throw new Error(`record ${k + 1} folds to other messages than it says were sent`);
    state = next.state;
  });
  return state;
}

/** Folds a coordinator's journal; throws where it gives other bytes than were sent. */
export async function foldCoordinator(founded: Founded): Promise<CoordinatorState> {
  const { seed } = await readSigningKey(founded.at('coordinator.key'));
  const first = initialCoordinatorState({ signingKey: SigningKey.from(seed), roster: founded.roster });
  return fold(await coordinatorRecords(founded), first, (state, { atUnixMs, event }) => {
    const done = advanceCoordinator(state, { at: unixMs(Number(atUnixMs)), event: event! });
    if ('rejected' in done) throw new Error(`a record is refused: ${done.rejected.code}`);
    const { effects } = done.accepted;
    return {
      state: done.accepted.state,
      emitted: effects.flatMap((effect) => (effect.kind === 'persist' ? effect.emitted : [])),
    };
  });
}

/** Folds an agent's journal; throws where it gives other bytes than were sent. */
export async function foldSilo(founded: Founded, silo: string): Promise<SiloState> {
  const { seed } = await readSigningKey(founded.at(`${silo}.key`));
  const policy = { minCohort: 3, minHonest: 2, maxMalicious: 0, roundsPerDay: 1_000 };
  const siloId = asSiloId(silo)!;
  const first = initialSiloState({ siloId, signingKey: SigningKey.from(seed), roster: founded.roster, policy });
  return fold(await siloRecords(founded, silo), first, (state, { atUnixMs, event }) => {
    const done = advanceSilo(state, { at: unixMs(Number(atUnixMs)), event: event! });
    if ('rejected' in done) throw new Error(`a record is refused: ${done.rejected.code}`);
    const { effects } = done.accepted;
    return {
      state: done.accepted.state,
      emitted: effects.flatMap((effect) => (effect.kind === 'persist' ? effect.emitted : [])),
    };
  });
}

/** Problems that fsck finds in the state folder of a stopped program, by name. */
export async function problemsOf(founded: Founded, name: string): Promise<string[]> {
  const kind = name === 'coordinator' ? 'coordinator' : 'agent';
  const state = founded.at('state', name);
  const root = await openStorageKey(founded.at(`${name}.storage.key`));
  const reports = [
    await checkJournal(join(state, 'journal'), Sealer.derive(root, FOLDERS[kind])),
    await checkBlobs(await BlobStore.open(join(state, 'blobs'))),
    await checkBlobs(await BlobStore.open(join(state, 'models'), () => new Hasher(LABELS.model))),
    ...(kind === 'agent'
      ? [await checkSealed(await SealedStore.open(join(state, 'inputs'), Sealer.derive(root, 'agent-inputs')))]
      : []),
  ];
  return reports.flatMap(({ problems }) => problems.map(({ where, what }) => `${name}: ${where}: ${what}`));
}

/** Which one of its kind a message is, where a silo may send several: those of an attempt by round and attempt. */
function placeOf({ type, payload }: Envelope): string {
  const codec = { advertise: AdvertiseKeys, decline: Decline, abort: Abort }[type];
  if (codec === undefined) return type;
  const { rid, attempt } = decode<{ rid: Uint8Array; attempt: number }>(codec, type, payload);
  return `${type} ${hex(rid)} ${attempt}`;
}

export interface Exchange {
  /** Messages that the coordinator accepted from the silo. */
  readonly accepted: readonly Envelope[];
  /** Accepted messages that the silo's own journal does not hold byte for byte. */
  readonly foreign: readonly string[];
  /** Places for which two different payloads are in either journal, of a job with one round and one attempt. */
  readonly doubled: readonly string[];
}

/** Compares what a coordinator accepted from a silo with what that silo's journal says it sent, after a job of a single sum. */
export async function exchangeOf(founded: Founded, silo: SiloId | string): Promise<Exchange> {
  const accepted: Envelope[] = [];
  for (const { event } of await coordinatorRecords(founded))
    if (event?.$case === 'messageReceived' && event.value.siloId === silo) accepted.push(event.value.envelope!);
  const records = await siloRecords(founded, silo);
  const sent = records.flatMap(({ emitted, event }) =>
    event?.$case === 'jobDecided' ? [...emitted, event.value.approval!] : emitted,
  );
  const foreign = accepted.filter((one) => !sent.some((other) => equalEnvelopes(one, other))).map(placeOf);
  const places = new Map<string, Uint8Array>();
  const doubled = new Set<string>();
  for (const envelope of [...accepted, ...sent]) {
    const place = placeOf(envelope);
    const before = places.get(place);
    if (before !== undefined && !equalBytes(before, envelope.payload)) doubled.add(place);
    places.set(place, envelope.payload);
  }
  return { accepted, foreign, doubled: [...doubled] };
}

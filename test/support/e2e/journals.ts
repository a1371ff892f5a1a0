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
  Abort,
  Ack,
  AdvertiseKeys,
  Approval,
  Consistency,
  CoordinatorRecord,
  Cosign,
  decode,
  Decline,
  Hello,
  MaskedHeader,
  ReleaseAnswer,
  ShareHeader,
  SiloRecord,
  Unmask,
  type Envelope,
  type MessageType,
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
  const logKey = SigningKey.from((await readSigningKey(founded.at('log.key'))).seed);
  const first = initialCoordinatorState({ signingKey: SigningKey.from(seed), logKey, roster: founded.roster });
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
  const policy = { minCohort: 3, minHonest: 2, maxMalicious: 0, roundsPerDay: 1_000, graph: 'regular' } as const;
  const siloId = asSiloId(silo)!;
  const cosigningKey = SigningKey.from((await readSigningKey(founded.at(`${silo}.cosigning.key`))).seed);
  const signingKey = SigningKey.from(seed);
  const first = initialSiloState({ siloId, signingKey, cosigningKey, roster: founded.roster, policy });
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

/** Fields by which a message says what it is about: of one place a silo sends one message, for ever. */
const PLACES: Readonly<Record<string, { codec: MessageType<object>; fields: readonly string[] }>> = {
  hello: { codec: Hello, fields: ['nonce'] },
  cosign: { codec: Cosign, fields: ['checkpoint'] },
  approval: { codec: Approval, fields: ['manifestHash'] },
  advertise: { codec: AdvertiseKeys, fields: ['rid', 'attempt'] },
  'share-header': { codec: ShareHeader, fields: ['t1'] },
  'masked-header': { codec: MaskedHeader, fields: ['t2'] },
  decline: { codec: Decline, fields: ['rid', 'attempt'] },
  consistency: { codec: Consistency, fields: ['t3'] },
  unmask: { codec: Unmask, fields: ['t3'] },
  ack: { codec: Ack, fields: ['resultHash'] },
  abort: { codec: Abort, fields: ['rid', 'attempt'] },
  'release-answer': { codec: ReleaseAnswer, fields: ['rid', 'attempt'] },
};

function placeOf({ type, payload }: Envelope): string {
  const place = PLACES[type];
  // Every other message of a silo begins with the transcript hash that it rests on: tag, length, 32 bytes.
  if (place === undefined) return `${type} ${hex(payload.subarray(0, 34))}`;
  const message = decode(place.codec, type, payload) as Readonly<Record<string, Uint8Array | number>>;
  return [type, ...place.fields.map((name) => part(message[name]!))].join(' ');
}

function part(value: Uint8Array | number): string {
  return typeof value === 'number' ? String(value) : hex(value);
}

export interface Exchange {
  /** Messages that the coordinator accepted from the silo. */
  readonly accepted: readonly Envelope[];
  /** Accepted messages that the silo's own journal does not hold byte for byte. */
  readonly foreign: readonly string[];
  /** Places for which two different payloads are in either journal. */
  readonly doubled: readonly string[];
}

export interface Charges {
  /** Rounds that the folded ledger has charged, by job. */
  readonly ledger: Readonly<Record<string, number>>;
  /** Masked inputs of which the coordinator holds a header, one for each round where no attempt fails. */
  readonly left: number;
  /** Charges in the acknowledgements that the coordinator holds, in the order in which they count. */
  readonly told: readonly number[];
}

/** What a silo has been charged by its own journal, beside what the coordinator's says has left it. */
export async function chargesOf(founded: Founded, silo: SiloId | string): Promise<Charges> {
  const { ledger } = await foldSilo(founded, silo);
  const rounds = new Map<string, number>();
  for (const { jobId, rounds: count } of [...ledger.values()].flat())
    rounds.set(jobId, (rounds.get(jobId) ?? 0) + count);
  const { accepted } = await exchangeOf(founded, silo);
  const distinct = (type: string): Envelope[] => [
    ...new Map(accepted.filter((one) => one.type === type).map((one) => [hex(one.payload), one])).values(),
  ];
  const told = distinct('ack').flatMap(({ payload }) => {
    const { charge } = decode(Ack, 'ack', payload);
    return charge === undefined ? [] : [Number(charge.rounds)];
  });
  return {
    ledger: Object.fromEntries(rounds),
    left: distinct('masked-header').length,
    told: told.sort((a, b) => a - b),
  };
}

/** Compares what a coordinator accepted from a silo with what that silo's journal says it sent, over all jobs. */
export async function exchangeOf(founded: Founded, silo: SiloId | string): Promise<Exchange> {
  const accepted: Envelope[] = [];
  for (const { event } of await coordinatorRecords(founded))
    if (event?.$case === 'messageReceived' && event.value.siloId === silo) accepted.push(event.value.envelope!);
  const records = await siloRecords(founded, silo);
  const sent = records.flatMap(({ emitted, event }) =>
    event?.$case === 'jobDecided' ? [...emitted, event.value.approval!] : emitted,
  );
  // An answer to a release query says nothing that binds: it is signed anew each time, to the same bytes, and is in no journal.
  const kept = accepted.filter(({ type }) => type !== 'release-answer');
  const foreign = kept.filter((one) => !sent.some((other) => equalEnvelopes(one, other))).map(placeOf);
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

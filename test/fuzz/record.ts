// Honest runs, written down: every event of one silo and of the coordinator with the state it met, and every message that was sent.

import { concat, type SiloId, type UnixMs, unixMs } from '../../src/base/index.js';
import type { SignedType } from '../../src/crypto/index.js';
import { SIGNED_TYPES } from '../../src/crypto/index.js';
import { COORDINATOR, type CoordinatorState, type SiloEvent, type SiloState } from '../../src/protocol/index.js';
import * as wire from '../../src/wire/index.js';
import { MemoryConsortium } from '../support/memory/consortium.js';
import { keyFrom, type Founded } from '../support/memory/founding.js';
import { Pool } from './message.js';

/** The message under each signed type. */
export const SIGNED_CODECS: Readonly<Record<SignedType, wire.MessageType<never>>> = {
  manifest: wire.JobManifest,
  approval: wire.Approval,
  plan: wire.RoundPlan,
  'attempt-start': wire.AttemptStart,
  advertise: wire.AdvertiseKeys,
  'share-header': wire.ShareHeader,
  'masked-header': wire.MaskedHeader,
  receipt: wire.Receipt,
  survivors: wire.ConsistencyRequest,
  consistency: wire.Consistency,
  unmask: wire.Unmask,
  result: wire.RoundResult,
  ack: wire.Ack,
  decline: wire.Decline,
  abort: wire.Abort,
  abandon: wire.Abandon,
  protest: wire.Protest,
  dispute: wire.Dispute,
  'release-query': wire.ReleaseQuery,
  'release-answer': wire.ReleaseAnswer,
} as unknown as Readonly<Record<SignedType, wire.MessageType<never>>>;

/** Codec and message of an envelope's payload; undefined when its type or its bytes are of no use. */
export function openedPayload(
  envelope: wire.Envelope,
): { readonly codec: wire.MessageType<unknown>; readonly message: unknown; readonly type: SignedType } | undefined {
  const type = SIGNED_TYPES.find((known) => known === envelope.type);
  if (type === undefined) return undefined;
  const codec = SIGNED_CODECS[type] as wire.MessageType<unknown>;
  try {
    return { codec, message: wire.decode(codec, type, envelope.payload, 1 << 24), type };
  } catch {
    return undefined;
  }
}

/** The same payload bytes signed by whoever the envelope says, if that is somebody of the test consortium. */
export function signedAgain(founded: Founded, envelope: wire.Envelope): wire.Envelope {
  const { signer, payload } = envelope;
  const type = SIGNED_TYPES.find((known) => known === envelope.type);
  if (type === undefined) return envelope;
  const name = signer.startsWith('silo/') ? signer.slice('silo/'.length) : signer;
  const key = signer === COORDINATOR ? founded.coordinatorKey : keyFrom(name);
  return { ...envelope, signature: key.sign(type, payload) };
}

export interface SiloStep {
  readonly state: SiloState;
  readonly at: UnixMs;
  readonly event: SiloEvent;
}

export interface CoordinatorStep {
  readonly state: CoordinatorState;
  readonly at: UnixMs;
  /** Set for messages of silos. */
  readonly from: SiloId | undefined;
  readonly event: NonNullable<wire.CoordinatorRecord['event']>;
}

export interface Recording {
  readonly consortium: MemoryConsortium;
  readonly silo: SiloId;
  readonly index: number;
  readonly siloSteps: readonly SiloStep[];
  readonly coordinatorSteps: readonly CoordinatorStep[];
  readonly pool: Pool;
  /** Serialised messages by the name of their type. */
  readonly samples: ReadonlyMap<string, readonly Uint8Array[]>;
}

/** A round of five silos of which the last goes away once it has dealt shares, so that secrets of both kinds are opened. */
export function record(index = 1): Recording {
  const consortium = new MemoryConsortium(5, { manifest: { roundLimit: 1, maxMalicious: 1 } });
  const silo = consortium.silos[index]!;
  const siloSteps: SiloStep[] = [];
  const coordinatorSteps: CoordinatorStep[] = [];
  const pool = new Pool();
  const samples = new Map<string, Uint8Array[]>();
  const keep = (name: string, bytes: Uint8Array): void => {
    const list = samples.get(name) ?? [];
    if (list.length < 24) samples.set(name, [...list, bytes]);
  };
  const envelope = (one: wire.Envelope | undefined): void => {
    if (one === undefined) return;
    keep('Envelope', wire.encode(wire.Envelope, one));
    keep(one.type, one.payload);
    const opened = openedPayload(one);
    if (opened !== undefined) pool.learn(opened.message);
  };
  const envelopesIn = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return;
    if ('payload' in value && 'signer' in value) envelope(value as wire.Envelope);
    for (const inner of Object.values(value)) envelopesIn(inner);
  };

  const feedSilo = silo.feed.bind(silo);
  silo.feed = (event) => {
    siloSteps.push({ state: silo.state, at: unixMs(consortium.time), event });
    pool.learn(event);
    envelopesIn(event);
    feedSilo(event);
  };
  const feedCoordinator = consortium.feed.bind(consortium);
  consortium.feed = (event, from) => {
    coordinatorSteps.push({ state: consortium.coordinator, at: unixMs(consortium.time), from, event });
    pool.learn(event);
    envelopesIn(event);
    if (event.$case === 'messageReceived') keep('SubmitRequest', wire.encode(wire.SubmitRequest, event.value));
    feedCoordinator(event, from);
  };
  consortium.hooks.deliver = (to, directive) => {
    keep('Directive', wire.encode(wire.Directive, directive));
    if (to.index !== 4 || directive.body?.$case !== 'sharesClosed') return true;
    to.crash();
    return false;
  };
  consortium.run();
  for (const bytes of silo.journal) keep('SiloRecord', bytes);
  for (const bytes of consortium.journal) keep('CoordinatorRecord', bytes);
  for (const bytes of consortium.blobs.values()) keep('blob', bytes);
  keep('Roster', consortium.founded.rosterBytes);
  if (consortium.job.closed.length !== 1) throw new Error('the honest run has not closed its round');
  return { consortium, silo: silo.id, index, siloSteps, coordinatorSteps, pool, samples };
}

/** u32 step or index before the bytes of an input. */
export function numbered(number: number, bytes: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(number >>> 8, number & 0xff), bytes);
}

export function unnumbered(input: Uint8Array): { readonly number: number; readonly bytes: Uint8Array } {
  return { number: ((input[0] ?? 0) << 8) | (input[1] ?? 0), bytes: input.subarray(2) };
}

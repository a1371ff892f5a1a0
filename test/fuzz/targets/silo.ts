// The silo's state machine. At a step of an honest run it is fed something else than what came: fields changed, dropped, repeated,
// swapped or taken from elsewhere, and mostly signed by the coordinator itself, which is the adversary here (docs/protocol.md §1).

import { concat, equalBytes, hex } from '../../../src/base/index.js';
import {
  advanceSilo,
  COORDINATOR,
  equalEnvelopes,
  siloSigner,
  thresholdFor,
  type SiloEffect,
  type SiloEvent,
  type SiloState,
} from '../../../src/protocol/index.js';
import * as wire from '../../../src/wire/index.js';
import { mutateBytes } from '../bytes.js';
import { mutateMessage } from '../message.js';
import type { Random } from '../random.js';
import { numbered, openedPayload, record, signedAgain, unnumbered, type Recording, type SiloStep } from '../record.js';
import { ACCEPTED, checkWords, never, Violation, type Target } from '../target.js';

const BYTES_MAX = 1 << 24;
/** Events that come from outside; the others are the silo's own work. */
const FROM_OUTSIDE = new Set([
  'jobOffered',
  'attemptStarted',
  'keysReceived',
  'sharesReceived',
  'sharesClosed',
  'receiptReceived',
  'confirmRequested',
  'unmaskRequested',
  'resultReceived',
  'releaseQueried',
  'abandoned',
  'jobClosed',
  'rosterTaken',
]);

/** An event as bytes: its journal record, or for a result directive and transcript with a length between them. */
export function eventBytes(event: SiloEvent): Uint8Array {
  // A proposal is the bytes of a roster that is taken; what is drawn from the corpus is the latter.
  if (event.$case === 'rosterProposed') return eventBytes({ $case: 'rosterTaken', value: event.value });
  if (event.$case !== 'resultReceived')
    return concat(Uint8Array.of(0), wire.encode(wire.SiloRecord, { version: 1, atUnixMs: 0n, emitted: [], event }));
  const directive = wire.encode(wire.ResultDirective, event.value.directive);
  const length = new Uint8Array(new Uint32Array([directive.length]).buffer);
  return concat(Uint8Array.of(1), length, directive, wire.encode(wire.RoundTranscript, event.value.transcript));
}

/** Undefined where the wire would have refused it, or where it is nothing that comes from outside. */
export function eventFrom(bytes: Uint8Array): SiloEvent | undefined {
  const body = bytes.subarray(1);
  if (bytes[0] === 0) {
    const { event } = wire.decode(wire.SiloRecord, 'event', body, BYTES_MAX);
    return event !== undefined && FROM_OUTSIDE.has(event.$case) ? event : undefined;
  }
  if (body.length < 4) return undefined;
  const length = new DataView(body.buffer, body.byteOffset).getUint32(0, true);
  const directive = wire.decode(wire.ResultDirective, 'directive', body.subarray(4, 4 + length), BYTES_MAX);
  const transcript = wire.decode(wire.RoundTranscript, 'transcript', body.subarray(4 + length), BYTES_MAX);
  return { $case: 'resultReceived', value: { directive, transcript } };
}

/** An envelope with its payload changed inside, signed again three times out of four. */
export function tampered(random: Random, { consortium, pool }: Recording, envelope: wire.Envelope): wire.Envelope {
  const opened = openedPayload(envelope);
  if (opened === undefined) return envelope;
  const payload = random.once(6)
    ? mutateBytes(random, envelope.payload)
    : wire.encode(opened.codec, mutateMessage(random, opened.message, pool, within(random, consortium.founded)));
  const changed = { ...envelope, payload };
  return random.once(4) ? changed : signedAgain(consortium.founded, changed);

  function within(inner: Random, founded: typeof consortium.founded): (value: object) => object | undefined {
    return (value) => (inner.once(2) ? signedAgain(founded, value as wire.Envelope) : undefined);
  }
}

export function siloTarget(recording: Recording = record(), advance: typeof advanceSilo = advanceSilo): Target {
  const steps = recording.siloSteps;
  const outside = steps.flatMap((step, k) => (FROM_OUTSIDE.has(step.event.$case) ? [k] : []));
  const histories = saidBefore(recording, advance);
  let executed = 0;
  return {
    name: 'silo',
    generate: (random) => {
      for (let tries = 0; tries < 8; tries++) {
        try {
          const about = random.pick(outside);
          // Mostly where it belongs: elsewhere most of it is refused at the door.
          const at = random.once(4) ? random.below(steps.length) : about;
          return numbered(at, eventBytes(changedEvent(random, steps[about]!.event)));
        } catch {
          // A value that no encoder writes: another try.
        }
      }
      return numbered(0, random.bytes(40));
    },
    execute: (input) => {
      const { number, bytes } = unnumbered(input);
      const at = number % steps.length;
      let event: SiloEvent | undefined;
      try {
        event = eventFrom(bytes);
      } catch (error) {
        if (error instanceof wire.WireError) return error.code;
        throw error;
      }
      if (event === undefined) return 'not an event';
      executed++;
      return feed(recording, advance, at, event, histories[at]!.copy(), executed % 64 === 0);
    },
  };

  function changedEvent(random: Random, event: SiloEvent): SiloEvent {
    return mutateMessage<SiloEvent>(random, event, recording.pool, (value) =>
      random.once(8) ? undefined : tampered(random, recording, value as wire.Envelope),
    );
  }
}

/** Feeds one event at a step, then what honestly followed; checks every message that leaves. */
function feed(
  recording: Recording,
  advance: typeof advanceSilo,
  at: number,
  event: SiloEvent,
  said: Said,
  alwaysGoOn: boolean,
): string {
  const { siloSteps: steps } = recording;
  const step = steps[at]!;
  const done = advance(step.state, { at: step.at, event });
  if ('rejected' in done) {
    checkWords(done.rejected.code, done.rejected.detail);
    if (alwaysGoOn) said.expectAck(goOn(step.state, steps.slice(at), said, advance));
    return done.rejected.code;
  }
  const { state, effects } = done.accepted;
  said.hear(effects, event);
  if (state === step.state) return effects.length === 0 ? 'nothing to do' : 'answered again';
  goOn(state, steps.slice(at), said, advance);
  return ACCEPTED;
}

function goOn(from: SiloState, rest: readonly SiloStep[], said: Said, advance: typeof advanceSilo): SiloState {
  let state = from;
  for (const { at, event } of rest) {
    const done = advance(state, { at, event });
    if ('rejected' in done) continue;
    state = done.accepted.state;
    said.hear(done.accepted.effects, event);
  }
  return state;
}

/** What the silo had said when each step began; also the check that the run as recorded is accepted again. */
function saidBefore(recording: Recording, advance: typeof advanceSilo): readonly Said[] {
  const said = new Said(recording);
  return recording.siloSteps.map(({ state, at, event }) => {
    const before = said.copy();
    const done = advance(state, { at, event });
    if ('rejected' in done) throw new Violation(`the honest run is refused: ${done.rejected.code}`);
    said.hear(done.accepted.effects, event);
    return before;
  });
}

/** What a silo has signed so far, and what it must never have signed. */
class Said {
  readonly #once: Map<string, wire.Envelope>;
  readonly #recording: Recording;
  #acked = false;

  constructor(recording: Recording, once = new Map<string, wire.Envelope>()) {
    this.#recording = recording;
    this.#once = once;
  }

  copy(): Said {
    const copy = new Said(this.#recording, new Map(this.#once));
    copy.#acked = this.#acked;
    return copy;
  }

  hear(effects: readonly SiloEffect[], event: SiloEvent): void {
    for (const effect of effects) {
      const leaving = effect.kind === 'persist' ? effect.emitted : effect.kind === 'submit' ? [effect.envelope] : [];
      for (const envelope of leaving) this.#leaves(envelope, event);
    }
  }

  #leaves(envelope: wire.Envelope, event: SiloEvent): void {
    const { silo, consortium } = this.#recording;
    never(envelope.signer !== siloSigner(silo), 'the silo sends what another signed');
    if (envelope.type === 'ack') this.#acked = true;
    if (envelope.type !== 'consistency' && envelope.type !== 'unmask') return;
    // The run has one round and one attempt of it that gets this far.
    const before = this.#once.get(envelope.type);
    never(before !== undefined && !equalEnvelopes(before, envelope), `two different messages of type ${envelope.type}`);
    this.#once.set(envelope.type, envelope);
    if (envelope.type !== 'unmask' || before !== undefined) return;
    const unmask = wire.decode(wire.Unmask, 'unmask', envelope.payload);
    const dealers = [...unmask.selfShares, ...unmask.keyShares].map(({ dealer }) => dealer);
    never(new Set(dealers).size !== dealers.length, 'two shares of one member leave in one release');
    const confirmed = event.$case === 'unmaskRequested' ? event.value.consistency : [];
    const signers = new Set(
      confirmed
        .filter((one) => {
          const key = consortium.founded.roster.keyOf(one.signer);
          if (key === undefined || one.signer === COORDINATOR || one.type !== 'consistency') return false;
          if (!consortium.founded.roster.verify(key, 'consistency', one.payload, one.signature)) return false;
          const message = openedPayload(one)?.message as wire.Consistency | undefined;
          return message !== undefined && equalBytes(message.t3, unmask.t3);
        })
        .map((one) => one.signer),
    );
    never(
      signers.size < thresholdFor(consortium.silos.length),
      `shares leave on ${signers.size} confirmations of ${hex(unmask.t3)}`,
    );
  }

  expectAck(state: SiloState): void {
    never(!this.#acked, 'after a refused event the honest run no longer ends with an Ack');
    never([...state.jobs.values()][0]?.closedRound !== 1, 'after a refused event the round no longer closes');
  }
}

// The coordinator's state machine, under messages that silos hand in: changed in any field and signed by the silo itself, or by others.

import { concat } from '../../../src/base/index.js';
import { advanceCoordinator } from '../../../src/protocol/index.js';
import * as wire from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { openedIn } from '../../support/memory/readings.js';
import { mutateMessage } from '../message.js';
import type { Random } from '../random.js';
import { numbered, record, unnumbered, type Recording } from '../record.js';
import { ACCEPTED, checkWords, never, type Target } from '../target.js';
import { tampered } from './silo.js';

type Submitted = wire.CoordinatorMessageReceived;

interface Submission {
  readonly step: number;
  readonly value: Submitted;
}

function submissions(recording: Recording): Submission[] {
  return recording.coordinatorSteps.flatMap(({ event }, step) =>
    event.$case === 'messageReceived' ? [{ step, value: event.value }] : [],
  );
}

function changed(random: Random, recording: Recording, from: readonly Submission[], honest: Submitted): Submitted {
  const { envelope, ciphertexts } = honest;
  const silo = random.once(8) ? random.pick(from).value.siloId : honest.siloId;
  const request = mutateMessage<wire.SubmitRequest>(random, { envelope, ciphertexts }, recording.pool, (value) =>
    random.once(8) ? undefined : tampered(random, recording, value as wire.Envelope),
  );
  return { ...request, siloId: silo, computedRoot: honest.computedRoot };
}

function bytesOf(value: Submitted): Uint8Array {
  return wire.encode(wire.CoordinatorMessageReceived, value);
}

/** As the transport would: 4 MiB at most. */
function received(bytes: Uint8Array): Submitted {
  return wire.decode(wire.CoordinatorMessageReceived, 'submission', bytes);
}

function generated(random: Random, make: () => Uint8Array): Uint8Array {
  for (let tries = 0; tries < 8; tries++) {
    try {
      return make();
    } catch {
      // A value that no encoder writes: another try.
    }
  }
  return random.bytes(40);
}

/** One changed message at one step of the run. */
export function coordinatorTarget(
  recording: Recording = record(),
  advance: typeof advanceCoordinator = advanceCoordinator,
): Target {
  const from = submissions(recording);
  const { coordinatorSteps: steps, consortium } = recording;
  return {
    name: 'coordinator',
    generate: (random) =>
      generated(random, () => {
        const { step, value } = random.pick(from);
        const at = random.once(4) ? random.below(steps.length) : step;
        return numbered(at, bytesOf(changed(random, recording, from, value)));
      }),
    execute: (input) => {
      const { number, bytes } = unnumbered(input);
      const { state, at } = steps[number % steps.length]!;
      let value: Submitted;
      try {
        value = received(bytes);
      } catch (error) {
        if (error instanceof wire.WireError) return error.code;
        throw error;
      }
      // The transport knows the sender from the certificate: somebody of the roster.
      if (!consortium.silos.some(({ id }) => id === value.siloId)) return 'not a member';
      const done = advance(state, { at, event: { $case: 'messageReceived', value } });
      if ('rejected' in done) return checkWords(done.rejected.code, done.rejected.detail);
      const { effects } = done.accepted;
      const journalled = effects.some(({ kind }) => kind === 'persist');
      never(!journalled && done.accepted.state !== state, 'the state changed and the journal does not know');
      return journalled ? ACCEPTED : 'answered again';
    },
  };
}

/** Several changed messages in a whole run, every silo and the coordinator for real. */
export function roundTarget(recording: Recording = record()): Target {
  const from = submissions(recording);
  return {
    name: 'round',
    generate: (random) =>
      generated(random, () =>
        concat(
          ...Array.from({ length: 1 + random.below(4) }, () => {
            const at = random.below(from.length);
            const bytes = bytesOf(changed(random, recording, from, from[at]!.value));
            const when = random.once(3) ? random.below(40) : at;
            return concat(new Uint8Array(new Uint16Array([when, bytes.length]).buffer), bytes);
          }),
        ),
      ),
    execute: (input) => {
      const insertions = insertionsIn(input);
      const consortium = new MemoryConsortium(5, { manifest: { roundLimit: 1, maxMalicious: 1 } });
      let received = 0;
      const receive = consortium.receive.bind(consortium);
      const insert = (): void => {
        for (const { when, value } of insertions)
          if (when === received && consortium.silos.some(({ id }) => id === value.siloId)) {
            const records = consortium.journal.length;
            const rejections = consortium.rejections.length;
            receive(value.siloId as never, value);
            never(
              consortium.rejections.length > rejections && consortium.journal.length !== records,
              'a refused message was journalled',
            );
          }
        received++;
      };
      consortium.receive = (id, request) => {
        insert();
        receive(id, request);
      };
      consortium.run();
      for (const { rejection } of consortium.rejections) checkWords(rejection.code, rejection.detail);
      const { closed, status } = consortium.job;
      for (const [round] of consortium.openedSums) {
        const members = openedIn(consortium, round);
        never(members.length < 4, 'a sum was opened over fewer than the threshold');
      }
      const applied = closed.filter((round) => round.result !== undefined).length;
      never(
        applied > 0 && !consortium.silos.some(({ state }) => [...state.jobs.values()][0]?.closedRound === 1),
        'nobody acknowledged',
      );
      return `${status} with ${applied} of ${closed.length} rounds`;
    },
  };
}

function insertionsIn(input: Uint8Array): { readonly when: number; readonly value: Submitted }[] {
  const found: { when: number; value: Submitted }[] = [];
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  for (let at = 0; at + 4 <= input.length; ) {
    const [when, length] = [view.getUint16(at, true), view.getUint16(at + 2, true)];
    try {
      found.push({ when, value: received(input.subarray(at + 4, at + 4 + length)) });
    } catch (error) {
      if (!(error instanceof wire.WireError)) throw error;
    }
    at += 4 + length;
  }
  return found;
}

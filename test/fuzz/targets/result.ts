// A result with its transcript and its vectors, changed by the coordinator that signs it. Whatever a silo accepts as the opened sum is
// the true sum of what the survivors put in.

import { concat, equalBytes, hex } from '../../../src/base/index.js';
import { checkResult, checkTranscript } from '../../../src/protocol/index.js';
import * as wire from '../../../src/wire/index.js';
import { bytesOf, verifyVectors } from '../../support/memory/vectors.js';
import { mutateBytes } from '../bytes.js';
import { mutateMessage } from '../message.js';
import type { Random } from '../random.js';
import { record, type Recording } from '../record.js';
import { attempted, never, Violation, type Target } from '../target.js';
import { tampered } from './silo.js';

interface Served {
  readonly transcript: Uint8Array;
  readonly result: Uint8Array;
  readonly sum: Uint8Array;
  readonly opened: Uint8Array;
}

const FIELDS = ['transcript', 'result', 'sum', 'opened'] as const;
const BYTES_MAX = 1 << 24;

function framed(served: Served): Uint8Array {
  return concat(
    ...FIELDS.flatMap((field) => [new Uint8Array(new Uint32Array([served[field].length]).buffer), served[field]]),
  );
}

function unframed(input: Uint8Array): Served {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  let at = 0;
  const next = (): Uint8Array => {
    const length = at + 4 <= input.length ? view.getUint32(at, true) : 0;
    const bytes = input.subarray(at + 4, at + 4 + length);
    at += 4 + length;
    return bytes;
  };
  return { transcript: next(), result: next(), sum: next(), opened: next() };
}

export function resultTarget(recording: Recording = record(), verify: typeof verifyVectors = verifyVectors): Target {
  const { consortium, pool } = recording;
  const step = recording.siloSteps.find(({ event }) => event.$case === 'resultReceived');
  if (step?.event.$case !== 'resultReceived') throw new Error('the recording has no result');
  const { directive, transcript } = step.event.value;
  const { manifest } = [...step.state.jobs.values()][0]!;
  const named = (kind: string): Uint8Array =>
    [...consortium.blobs].find(([name]) => name.startsWith(`${kind} `))![1].slice();
  const honest = { sum: named('sum'), opened: named('opened') };
  const truth = bytesOf(consortium.openedSums.get(1)!);
  const { roster } = consortium.founded;

  return {
    name: 'result',
    generate: (random) => {
      for (let tries = 0; tries < 8; tries++) {
        try {
          return framed(changed(random));
        } catch {
          // A value that no encoder writes: another try.
        }
      }
      return random.bytes(40);
    },
    execute: (input) => {
      const served = unframed(input);
      return attempted(() => {
        const transcriptRead = wire.decode(wire.RoundTranscript, 'transcript', served.transcript, BYTES_MAX);
        const envelope = wire.decode(wire.Envelope, 'result', served.result, BYTES_MAX);
        const checked = checkResult(checkTranscript(roster, manifest, transcriptRead), envelope);
        const serve = (name: string): Uint8Array => {
          if (name.startsWith('sum ')) return served.sum;
          if (name.startsWith('opened ')) return served.opened;
          return consortium.uploads.get(name) ?? new Uint8Array(served.sum.length);
        };
        const opened = verify(
          checked,
          serve,
          checked.missing.map(() => new Uint8Array(32)),
        );
        if (equalBytes(opened, truth)) return;
        // Another plan, cohort or input would be another sum; here all of them are as they were.
        throw new Violation(`a wrong sum was accepted: ${hex(opened)} for ${hex(truth)}`);
      });
    },
  };

  function changed(random: Random): Served {
    const envelope = directive.result!;
    const grown = random.once(2) ? mutatedTranscript(random) : transcript;
    const claimed = random.once(2) ? tampered(random, recording, envelope) : envelope;
    const { sum, opened } = honest;
    const lie = random.below(4);
    return {
      transcript: wire.encode(wire.RoundTranscript, grown),
      result: wire.encode(wire.Envelope, claimed),
      sum: lie === 0 || lie === 2 ? nudged(random, sum) : sum,
      opened: lie === 1 || lie === 2 ? nudged(random, opened) : opened,
    };
  }

  function mutatedTranscript(random: Random): wire.RoundTranscript {
    return mutateMessage(random, transcript, pool, (value) => tampered(random, recording, value as wire.Envelope));
  }
}

/** Mostly other values of the same length: those get past the first check. */
function nudged(random: Random, bytes: Uint8Array): Uint8Array {
  if (random.once(3)) return mutateBytes(random, bytes);
  const out = bytes.slice();
  if (out.length > 0) out[random.below(out.length)]! ^= 1 << random.below(8);
  never(out.length !== bytes.length, 'another length');
  return out;
}

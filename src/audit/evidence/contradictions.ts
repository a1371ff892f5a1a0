// Messages of one signer that an honest one would never sign both: two in a place that holds one, and pairs that contradict each other.

import { fromUtf8, hex, isCodedError } from '../../base/index.js';
import {
  fromBitmap,
  requestOf,
  type Case,
  type CaseType,
  type Charge,
  type Conviction,
  type MessageOf,
  type Statement,
} from '../../protocol/index.js';
import { parseCheckpoint, type Checkpoint } from '../../transcript/index.js';

/** Everybody whom two statements contradict. */
export function contradictions(found: Case): Conviction[] {
  return [...places(found), ...terminals(found), ...leftOut(found), ...transcripts(found), ...forks(found)];
}

interface Rule<T> {
  readonly charge: Charge;
  /** What holds one message of a signer, for people too. */
  readonly place: (message: T) => string;
  /** What must be the same there; undefined: the whole payload. */
  readonly same?: (message: T) => string;
}

function twice<K extends CaseType>(found: Case, type: K, { charge, place, same }: Rule<MessageOf<K>>): Conviction[] {
  const first = new Map<string, string>();
  const convicted: Conviction[] = [];
  for (const { signer, payload, message } of found.of(type)) {
    const where = place(message);
    const said = same === undefined ? hex(payload) : same(message);
    const before = first.get(`${signer} ${where}`);
    first.set(`${signer} ${where}`, before ?? said);
    if (before !== undefined && before !== said)
      convicted.push({
        accused: signer,
        charge,
        message: `${signer} signed two different ${type} messages for ${where}.`,
      });
  }
  return convicted;
}

const attemptName = ({ rid, attempt }: { rid: Uint8Array; attempt: number }): string =>
  `attempt ${String(attempt)} of round ${hex(rid)}`;

function places(found: Case): Conviction[] {
  return [
    ...twice(found, 'plan', {
      charge: 'second-plan',
      place: ({ jobId, round }) => `round ${String(round)} of job "${jobId}"`,
    }),
    ...twice(found, 'attempt-start', { charge: 'second-start', place: attemptName }),
    ...twice(found, 'survivors', { charge: 'second-survivors', place: attemptName }),
    ...twice(found, 'result', { charge: 'second-terminal', place: ({ rid }) => `round ${hex(rid)}` }),
    ...twice(found, 'abandon', { charge: 'second-terminal', place: ({ rid }) => `round ${hex(rid)}` }),
    ...twice(found, 'receipt', {
      charge: 'second-receipt',
      place: ({ t2, index }) => `member ${String(index)} under T2 ${hex(t2)}`,
    }),
    ...twice(found, 'advertise', { charge: 'second-message', place: attemptName }),
    ...twice(found, 'share-header', { charge: 'second-message', place: ({ t1 }) => `T1 ${hex(t1)}` }),
    ...twice(found, 'masked-header', { charge: 'second-message', place: ({ t2 }) => `T2 ${hex(t2)}` }),
    ...twice(found, 'consistency', { charge: 'second-message', place: ({ t3 }) => `T3 ${hex(t3)}` }),
    ...twice(found, 'unmask', { charge: 'second-message', place: ({ t3 }) => `T3 ${hex(t3)}` }),
    ...twice(found, 'successor', {
      charge: 'second-successor',
      place: ({ previousRosterHash }) => `the roster after ${hex(previousRosterHash)}`,
      // Whoever signs again may give another reason, or bring the roster along.
      same: ({ rosterHash }) => hex(rosterHash),
    }),
    ...twice(found, 'ack', {
      charge: 'second-message',
      place: ({ resultHash }) => `result ${hex(resultHash)}`,
      // What it was charged with may be told once and not again.
      same: ({ outcome, newModelHash }) => `${String(outcome)} ${hex(newModelHash)}`,
    }),
    ...twice(found, 'approval', {
      charge: 'second-message',
      place: ({ manifestHash }) => `manifest ${hex(manifestHash)}`,
      same: ({ approved }) => String(approved),
    }),
  ];
}

/** A result and an Abandon of one round. */
function terminals(found: Case): Conviction[] {
  const results = new Set(found.of('result').map(({ message }) => hex(message.rid)));
  return found
    .of('abandon')
    .filter(({ message }) => results.has(hex(message.rid)))
    .map(({ signer, message }) => ({
      accused: signer,
      charge: 'second-terminal',
      message: `${signer} signed a result and an Abandon of round ${hex(message.rid)}.`,
    }));
}

/** A receipt, and a survivor set under its T2 without its holder. */
function leftOut(found: Case): Conviction[] {
  return found.of('receipt').flatMap(({ signer, message: { t2, index } }) =>
    found
      .of('survivors')
      .filter(({ message }) => hex(message.t2) === hex(t2))
      .filter(({ message }) => fromBitmap(message.survivors, message.survivors.length * 8)?.includes(index) === false)
      .map(
        (): Conviction => ({
          accused: signer,
          charge: 'left-out',
          message: `${signer} gave a receipt for the input of member ${String(index)} and announced survivors without it.`,
        }),
      ),
  );
}

/** Confirmed, or released, on two T3 of one attempt; released in an attempt that the same silo declared aborted. */
function transcripts(found: Case): Conviction[] {
  const at = (t3: Uint8Array): string | undefined => {
    const request = requestOf(found, t3);
    return request === undefined ? undefined : attemptName(request.message);
  };
  const aborted = new Set(found.of('abort').map(({ signer, message }) => `${signer} ${attemptName(message)}`));
  const onTwo = (statements: readonly Statement<{ readonly t3: Uint8Array }>[], charge: Charge, did: string) => {
    const first = new Map<string, string>();
    return statements.flatMap(({ signer, message }): Conviction[] => {
      const where = at(message.t3);
      if (where === undefined) return [];
      const before = first.get(`${signer} ${where}`);
      first.set(`${signer} ${where}`, before ?? hex(message.t3));
      if (before === undefined || before === hex(message.t3)) return [];
      return [{ accused: signer, charge, message: `${signer} ${did} on two transcripts in ${where}.` }];
    });
  };
  const both = found.of('unmask').flatMap(({ signer, message }): Conviction[] => {
    const where = at(message.t3);
    if (where === undefined || !aborted.has(`${signer} ${where}`)) return [];
    return [
      {
        accused: signer,
        charge: 'released-and-aborted',
        message: `${signer} released shares in ${where} and declared it aborted.`,
      },
    ];
  });
  return [
    ...onTwo(found.of('consistency'), 'second-transcript', 'confirmed sums'),
    ...onTwo(found.of('unmask'), 'second-release', 'released shares'),
    ...both,
  ];
}

/** Checkpoints of one size with two roots: named in starts by the coordinator, cosigned by a silo. */
function forks(found: Case): Conviction[] {
  const named = [...found.of('attempt-start'), ...found.of('cosign')];
  const first = new Map<string, string>();
  return named.flatMap(({ signer, message }): Conviction[] => {
    const checkpoint = checkpointIn(message.checkpoint);
    if (checkpoint === undefined) return [];
    const { origin, size, root } = checkpoint;
    const place = `${signer} ${origin} ${String(size)}`;
    const before = first.get(place);
    first.set(place, before ?? hex(root));
    if (before === undefined || before === hex(root)) return [];
    return [
      {
        accused: signer,
        charge: 'fork',
        message: `${signer} named two roots of ${origin} with ${String(size)} entries.`,
      },
    ];
  });
}

function checkpointIn(body: Uint8Array): Checkpoint | undefined {
  try {
    return parseCheckpoint(fromUtf8(body));
  } catch (error) {
    // Not UTF-8, or no checkpoint: names no log.
    if (error instanceof TypeError || isCodedError(error)) return undefined;
    throw error;
  }
}

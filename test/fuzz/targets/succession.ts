// How one roster follows another: chains of rosters with their signatures, as programs read them from a file, an authority or a coordinator, and
// single successors as a silo is shown them. Whoever changes them may hold the keys of fewer members than a successor needs.

import { concat } from '../../../src/base/index.js';
import {
  epochsOf,
  followChain,
  openSuccession,
  readChain,
  readRoster,
  successionQuorum,
  type Roster,
} from '../../../src/protocol/index.js';
import {
  encode,
  RosterChain,
  Roster as RosterMessage,
  decode,
  SignedRoster,
  type Envelope,
} from '../../../src/wire/index.js';
import { found, rosterOf, siloNames } from '../../support/memory/founding.js';
import { signedSuccessor, successorOf, without } from '../../support/memory/rosters.js';
import { mutateBytes } from '../bytes.js';
import { mutateMessage, Pool } from '../message.js';
import type { Random } from '../random.js';
import { attempted, never, type Target } from '../target.js';

/** Of seven members five are needed. Fewer are in the hands of whoever makes these inputs. */
const MEMBERS = 7;
const HELD = 4;

/** Puts the next roster in force; a planted one believes too much. */
export type Succession = (present: Roster, payload: Uint8Array, signatures: readonly Envelope[]) => Roster;

export function successionTarget(open: Succession = openSuccession): Target {
  const { roster: pinned, silos } = found(MEMBERS);
  const second = successorOf(pinned, without(silos[6]!));
  const signedBy = (present: Roster, payload: Uint8Array, signers: readonly string[]): SignedRoster => ({
    roster: payload,
    signatures: signers.map((silo) => signedSuccessor(present, silo, payload)),
  });
  const first = signedBy(pinned, second, silos.slice(0, 5));
  const afterFirst = openSuccession(pinned, first.roster, first.signatures);
  const third = signedBy(afterFirst, successorOf(afterFirst), silos.slice(1, 6));
  const honest: RosterChain = { rosters: [first, third] };
  /** What honest members have signed: by payload. Every roster that is believed was signed by enough. */
  const known = new Set([first, third].map(({ roster }) => text(roster)));
  const pool = new Pool();
  for (const one of [honest, decode(RosterMessage, 'roster', second), rosterOf(siloNames(MEMBERS))]) pool.learn(one);

  return {
    name: 'succession',
    generate: (random) => (random.once(2) ? single(random) : chain(random)),
    execute: (input) => {
      const body = input.slice(1);
      if ((input[0] ?? 0) % 2 === 0)
        return attempted(() => {
          const { roster, signatures } = decode(SignedRoster, 'roster', body, 1 << 20);
          checkNext(pinned, open(pinned, roster, signatures));
        });
      return attempted(() => {
        const end = readChain(pinned, body);
        const chained = [...epochsOf(end)].reverse();
        chained.slice(1).forEach((next, k) => {
          checkNext(chained[k]!, next);
        });
        // Read once more from what was believed it ends at the same roster.
        never(
          followChain(pinned, decode(RosterChain, 'chain', body, 1 << 24)).hash.join() !== end.hash.join(),
          'a chain that ends in two places',
        );
      });
    },
  };

  function checkNext(present: Roster, next: Roster): void {
    never(!known.has(text(next.payload)), 'a roster is believed that not enough members have signed');
    never(next.epoch !== present.epoch + 1n, 'an epoch is passed over');
    never((next.succeeds?.signatures.length ?? 0) < successionQuorum(present), 'too few signatures');
    never(readRoster(next.payload).hash.join() !== next.hash.join(), 'a roster that reads otherwise the second time');
  }

  /** Another roster after the pinned one, signed by those whose keys are held, some of them twice, and old signatures of others. */
  function single(random: Random): Uint8Array {
    const payload = random.once(3) ? first.roster : otherRoster(random);
    const mine = silos.slice(0, HELD).map((silo) => signedSuccessor(pinned, silo, payload));
    const signatures = Array.from({ length: random.below(9) }, () => random.pick([...mine, ...first.signatures]));
    const whole: SignedRoster = random.once(6) ? first : { roster: payload, signatures };
    return concat(
      Uint8Array.of(0),
      changed(random, () => encode(SignedRoster, whole), whole, SignedRoster),
    );
  }

  function chain(random: Random): Uint8Array {
    const rosters = random.pick([[first, third], [first], [third], [third, first], [first, first, third]]);
    const whole: RosterChain = { rosters };
    if (random.once(3)) return concat(Uint8Array.of(1), encode(RosterChain, whole));
    return concat(
      Uint8Array.of(1),
      changed(random, () => encode(RosterChain, whole), whole, RosterChain),
    );
  }

  function otherRoster(random: Random): Uint8Array {
    const message = decode(RosterMessage, 'roster', first.roster);
    try {
      return encode(RosterMessage, mutateMessage(random, message, pool));
    } catch {
      return mutateBytes(random, first.roster);
    }
  }

  function changed<T>(
    random: Random,
    bytes: () => Uint8Array,
    message: T,
    codec: { encode(message: T): { finish(): Uint8Array } },
  ): Uint8Array {
    if (random.once(3)) return bytes();
    if (random.once(2)) return mutateBytes(random, bytes());
    try {
      return codec.encode(mutateMessage(random, message, pool)).finish();
    } catch {
      // A value that no encoder writes: bytes, then.
      return mutateBytes(random, bytes());
    }
  }
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** A planted fault: one signature is enough, whoever made it. */
export const believesOne: Succession = (present, payload, signatures) =>
  signatures.length > 0
    ? { ...readRoster(payload), succeeds: { roster: present, signatures } }
    : openSuccession(present, payload, signatures);

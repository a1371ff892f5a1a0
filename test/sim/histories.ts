// G7: the log never shrinks or forks unseen. What one honest silo accepts goes on from what it had accepted, entry for entry; and all
// attempts in which honest silos take part rest on one log, whatever each of them was shown: two would need two quorums.

import { equalBytes, fromUtf8, hex, type Hash } from '../../src/base/index.js';
import type { SiloEvent } from '../../src/protocol/index.js';
import { CompactRange, leafHash, parseCheckpoint, parseNote } from '../../src/transcript/index.js';
import { AttemptStart, decode, RoundPlan } from '../../src/wire/index.js';
import { Broken } from './face.js';

/** Leaf hashes of the entries that a silo has accepted, from the first on. */
type Chain = readonly Hash[];

interface Accepted {
  readonly chain: Chain;
  readonly range: CompactRange;
}

interface Base {
  readonly silo: string;
  readonly chain: Chain;
}

const NOTHING: Accepted = { chain: [], range: CompactRange.EMPTY };

export class Histories {
  readonly #served = new Map<string, { readonly from: number; readonly leaves: Chain }>();
  readonly #accepted = new Map<string, Accepted>();
  /** The longest log that an attempt rested on. */
  #base: Base | undefined;
  readonly #previous = new Map<string, string>();
  /** How often an honest silo took part on a checkpoint. */
  bases = 0;

  /** Entries are handed to a silo. */
  served(silo: string, from: number, entries: readonly Uint8Array[]): void {
    this.#served.set(silo, { from, leaves: entries.map((entry) => leafHash(entry)) });
  }

  /** After a restart a silo knows what its disk knows. */
  recovered(silo: string, size: number): void {
    this.#accepted.set(silo, grown(NOTHING, this.#of(silo).chain.slice(0, size)));
  }

  /** An honest silo accepts an event. */
  accepted(silo: string, event: SiloEvent): void {
    if (event.$case === 'checkpointRead') this.#read(silo, event.value.note, Number(event.value.from));
    else if (event.$case === 'attemptStarted') {
      const { checkpoint } = decode(AttemptStart, 'attempt-start', event.value.attempt!.payload);
      const plan = decode(RoundPlan, 'plan', event.value.plan!.payload);
      this.#restsOn(silo, checkpoint);
      this.#follows(silo, `${plan.jobId} ${plan.round}`, hex(plan.previousResultHash));
    }
  }

  #of(silo: string): Accepted {
    return this.#accepted.get(silo) ?? NOTHING;
  }

  #read(silo: string, note: Uint8Array, from: number): void {
    const before = this.#of(silo);
    const { size, root } = parseCheckpoint(parseNote(note).text);
    const served = this.#served.get(silo);
    this.#served.delete(silo);
    // Shown again with more cosignatures: nothing was read, whatever was served and refused before.
    if (served?.from !== from || size <= from) return;
    const goesOn = from === before.chain.length ? before : grown(NOTHING, before.chain.slice(0, from));
    const after = grown(goesOn, served.leaves);
    if (after.range.size !== size || !equalBytes(after.range.root(), root))
      throw new Broken(`${silo} accepts a checkpoint of ${size} entries that is not of what it read (G7)`);
    if (!agree(before.chain, after.chain, from))
      throw new Broken(`${silo} accepts a log that does not go on from the one it had accepted (G7)`);
    if (after.chain.length > before.chain.length) this.#accepted.set(silo, after);
  }

  #restsOn(silo: string, body: Uint8Array): void {
    if (body.length === 0) return;
    const { size, root } = parseCheckpoint(fromUtf8(body));
    const { range, chain } = grown(NOTHING, this.#of(silo).chain.slice(0, size));
    if (range.size !== size || !equalBytes(range.root(), root))
      throw new Broken(`${silo} takes part on a checkpoint of ${size} entries that is not of what it read (G7)`);
    this.bases++;
    const other = this.#base;
    if (other !== undefined && !agree(chain, other.chain))
      throw new Broken(`${silo} and ${other.silo} take part on two logs (G7)`);
    if (other === undefined || chain.length > other.chain.length) this.#base = { silo, chain };
  }

  /** What honest silos open a round on. */
  #follows(silo: string, round: string, previous: string): void {
    const known = this.#previous.get(round) ?? previous;
    this.#previous.set(round, known);
    if (known !== previous) throw new Broken(`${silo} opens ${round} after another end of the round before (G7)`);
  }
}

/** As far as both go they are the same. */
function agree(a: Chain, b: Chain, from = 0): boolean {
  for (let k = from; k < Math.min(a.length, b.length); k++) if (!equalBytes(a[k]!, b[k]!)) return false;
  return true;
}

function grown({ chain, range }: Accepted, leaves: Chain): Accepted {
  return { chain: [...chain, ...leaves], range: leaves.reduce((sum, leaf) => sum.append(leaf).range, range) };
}

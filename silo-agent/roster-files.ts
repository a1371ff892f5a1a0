// What the agent and the operator's command `roster` tell each other about rosters, as files in the state folder (as offers.ts does for
// jobs): the chain from the pinned roster to the one in force, rosters that were proposed, and what the operator has signed.

import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hex, isCodedError, LIMITS } from '../src/base/index.js';
import {
  CHAIN_BYTES,
  changeOf,
  demandAbout,
  encodeChain,
  openSuccessorSignature,
  readChain,
  readSuccessor,
  type Roster,
} from '../src/protocol/index.js';
import { makeDirectory, readSmallFile, SystemError, writeFileDurably } from '../src/system/index.js';
import { decode, encode, SignedRoster, SiloSuccessorSigned, type Envelope } from '../src/wire/index.js';
import { AgentError } from './errors.js';

const CHAIN = 'rosters.bin';
const PROPOSED = '.roster';
const SIGNED = '.successor';
/** A proposed roster with a signature of each member. */
const PROPOSAL_BYTES = LIMITS.manifestBytes + LIMITS.rosterMembersMax * (LIMITS.envelopePayloadBytes + 1024);

/** Kept at once: a member signs one roster of an epoch, so members that are honest never have more than this signed. */
function proposalsMax({ members }: Roster): number {
  return members.size;
}

export interface Proposal {
  readonly roster: Roster;
  readonly signatures: readonly Envelope[];
}

export class RosterFiles {
  readonly #state: string;
  readonly #offers: string;
  readonly #decisions: string;
  /** What writes and deletes proposals goes by turns, because it rests on all that are there. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(state: string) {
    this.#state = state;
    this.#offers = join(state, 'offers');
    this.#decisions = join(state, 'decisions');
  }

  /** Nothing that was proposed in another epoch is of any use then. */
  async keepChain(roster: Roster): Promise<void> {
    await writeFileDurably(join(this.#state, CHAIN), encodeChain(roster), { replace: true });
    await this.#inTurn(async () => {
      await this.#keepOnly(await this.proposals(roster));
    });
  }

  /** The roster in force, as far as the agent that works here has been told. Throws Refusal `roster/…` for a chain that does not hold. */
  async present(pinned: Roster): Promise<Roster> {
    const path = join(this.#state, CHAIN);
    return existsSync(path) ? readChain(pinned, await readSmallFile(path, CHAIN_BYTES)) : pinned;
  }

  /**
   * Keeps a successor of `present` that is proposed, with those who signed it. Where as many are kept as there are members, it takes the
   * place of the one that fewest have signed, or, if it has no more signatures itself, is `too-many`: what was shown first stays.
   */
  propose(present: Roster, proposed: Roster, signatures: readonly Envelope[]): Promise<'new' | 'known' | 'too-many'> {
    return this.#inTurn(() => this.#propose(present, { roster: proposed, signatures }));
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(task);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #propose(present: Roster, proposal: Proposal): Promise<'new' | 'known' | 'too-many'> {
    const name = fileOf(proposal);
    const all = await this.proposals(present);
    const others = all.filter((one) => fileOf(one) !== name);
    // The sort is stable: among those with as many signatures the new one is the last.
    const ranked = [...others, proposal].sort((a, b) => signers(b) - signers(a));
    const kept = ranked.slice(0, proposalsMax(present));
    await this.#keepOnly(kept);
    if (!kept.includes(proposal)) return 'too-many';
    const bytes = encode(SignedRoster, { roster: proposal.roster.payload, signatures: [...proposal.signatures] });
    await writeFileDurably(join(this.#offers, name), bytes, { replace: true });
    return others.length < all.length ? 'known' : 'new';
  }

  async #keepOnly(proposals: readonly Proposal[]): Promise<void> {
    const kept = new Set(proposals.map(fileOf));
    for (const name of await this.#names()) if (!kept.has(name)) await rm(join(this.#offers, name), { force: true });
  }

  /** Files of proposals, in order. */
  async #names(): Promise<string[]> {
    const names = existsSync(this.#offers) ? await readdir(this.#offers) : [];
    return names.filter((name) => name.endsWith(PROPOSED)).sort();
  }

  /** Successors of `present` that were proposed; what belongs to another epoch, or does not check, is left out. */
  async proposals(present: Roster): Promise<Proposal[]> {
    const proposals: Proposal[] = [];
    for (const name of await this.#names()) {
      try {
        const bytes = await readSmallFile(join(this.#offers, name), PROPOSAL_BYTES);
        const { roster: payload, signatures } = decode(SignedRoster, 'proposed roster', bytes, PROPOSAL_BYTES);
        const roster = readSuccessor(present, payload);
        for (const one of signatures) demandAbout(openSuccessorSignature(present, one), roster);
        proposals.push({ roster, signatures });
      } catch (error) {
        if (!isCodedError(error)) throw error;
      }
    }
    return proposals;
  }

  /** By its hash, or at least 8 digits of its beginning. Throws AgentError `agent/unknown-roster`. */
  async find(present: Roster, name: string): Promise<Proposal> {
    const all = await this.proposals(present);
    const found = all.filter(({ roster }) => name.length >= 8 && hex(roster.hash).startsWith(name.toLowerCase()));
    const [proposal] = found;
    if (proposal === undefined || found.length > 1)
      throw new AgentError(
        'agent/unknown-roster',
        `no single proposed roster has a hash that begins with "${name.slice(0, 80)}": ${all.length === 0 ? 'none is proposed' : `proposed are ${all.map(({ roster }) => hex(roster.hash).slice(0, 16)).join(', ')}`}.`,
        { category: 'missing' },
      );
    return proposal;
  }

  /** Keeps what the operator signed for the running agent; one for each epoch. Throws AgentError `agent/already-signed`. */
  async sign(epoch: bigint, signature: Envelope, roster: Uint8Array): Promise<void> {
    const path = join(this.#decisions, `${String(epoch)}${SIGNED}`);
    await makeDirectory(this.#decisions);
    try {
      await writeFileDurably(path, encode(SiloSuccessorSigned, { signature, roster }), { replace: false });
    } catch (error) {
      if (!(error instanceof SystemError) || error.code !== 'system/exists') throw error;
      throw new AgentError(
        'agent/already-signed',
        `this silo has signed a roster for epoch ${String(epoch)} already (${path}).`,
        { category: 'state' },
      );
    }
  }

  /** What the operator has signed for an epoch; undefined while there is nothing. */
  async signed(epoch: bigint): Promise<SiloSuccessorSigned | undefined> {
    const path = join(this.#decisions, `${String(epoch)}${SIGNED}`);
    if (!existsSync(path)) return undefined;
    return decode(SiloSuccessorSigned, 'signed roster', await readSmallFile(path, PROPOSAL_BYTES), PROPOSAL_BYTES);
  }
}

function fileOf({ roster }: Proposal): string {
  return `${hex(roster.hash)}${PROPOSED}`;
}

/** Members, each counted once. */
function signers({ signatures }: Proposal): number {
  return new Set(signatures.map(({ signer }) => signer)).size;
}

/** What changes between two rosters, for a log. */
export function changeWords(before: Roster, after: Roster): { removed?: string; added?: string } {
  const { removed, added } = changeOf(before, after);
  return {
    ...(removed.length === 0 ? {} : { removed: removed.join(', ') }),
    ...(added.length === 0 ? {} : { added: added.join(', ') }),
  };
}

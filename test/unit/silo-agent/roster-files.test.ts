// Rosters that were proposed, as files that the operator's commands read: no more of them than the roster in force has members.

import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RosterFiles } from '../../../silo-agent/roster-files.js';
import { hex } from '../../../src/base/index.js';
import { openSuccession, readSuccessor, type Roster } from '../../../src/protocol/index.js';
import { found, keyFrom, siloNames } from '../../support/memory/founding.js';
import { signedSuccessor, successorOf, without } from '../../support/memory/rosters.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const { roster: genesis } = found(5);
const SILOS = siloNames(5);

function freshFiles() {
  const state = temporaryFolder();
  const offers = join(state, 'offers');
  mkdirSync(offers);
  const names = (): string[] => readdirSync(offers).sort();
  return { files: new RosterFiles(state), names, offers };
}

/** A successor that differs from every other by an operator. */
const another = (name: string, present = genesis): Roster =>
  readSuccessor(
    present,
    successorOf(present, () => ({ operators: [{ id: name, signingKey: keyFrom(`operator/${name}`).publicKey }] })),
  );

const signedBy = ({ payload }: Roster, ...silos: string[]) =>
  silos.map((silo) => signedSuccessor(genesis, silo, payload));

const fileOf = ({ hash }: Roster): string => `${hex(hash)}.roster`;

describe('rosters that are proposed', () => {
  it('are kept, each once, with who has signed them', async () => {
    const { files, names } = freshFiles();
    const one = another('otto');
    expect(await files.propose(genesis, one, signedBy(one, SILOS[0]!))).toBe('new');
    expect(await files.propose(genesis, one, signedBy(one, SILOS[0]!, SILOS[1]!))).toBe('known');
    expect(names()).toEqual([fileOf(one)]);
    expect((await files.proposals(genesis)).map(({ signatures }) => signatures.length)).toEqual([2]);
  });

  it('are no more than the roster in force has members, and those that most have signed', async () => {
    const { files, names } = freshFiles();
    const flood = Array.from({ length: 12 }, (_, k) => another(`flood-${String(k)}`));
    // All at once: each is weighed against all that are there.
    const said = await Promise.all(flood.map((one) => files.propose(genesis, one, signedBy(one, SILOS[4]!))));
    expect(said).toEqual([...Array<string>(5).fill('new'), ...Array<string>(7).fill('too-many')]);
    expect(names()).toEqual(flood.slice(0, 5).map(fileOf).sort());
    const wanted = another('otto');
    // The same member twice is one.
    expect(await files.propose(genesis, wanted, signedBy(wanted, SILOS[0]!, SILOS[0]!))).toBe('too-many');
    expect(await files.propose(genesis, wanted, signedBy(wanted, SILOS[0]!, SILOS[1]!))).toBe('new');
    expect(names()).toHaveLength(5);
    expect(names()).toContain(fileOf(wanted));
    expect(await files.propose(genesis, wanted, signedBy(wanted, SILOS[0]!, SILOS[1]!))).toBe('known');
    expect(await files.propose(genesis, flood[11]!, signedBy(flood[11]!, SILOS[4]!))).toBe('too-many');
  });

  it('of another epoch go when a roster comes into force, and when the next one is proposed', async () => {
    const { files, names } = freshFiles();
    const evicting = successorOf(genesis, without('silo-004'));
    const next = openSuccession(
      genesis,
      evicting,
      SILOS.slice(0, 4).map((silo) => signedSuccessor(genesis, silo, evicting)),
    );
    const old = another('otto');
    await files.propose(genesis, old, signedBy(old, SILOS[0]!));
    await files.keepChain(genesis);
    expect(names()).toEqual([fileOf(old)]);
    await files.keepChain(next);
    expect(names()).toEqual([]);
    await files.propose(genesis, old, signedBy(old, SILOS[0]!));
    const later = another('otto', next);
    expect(await files.propose(next, later, [])).toBe('new');
    expect(names()).toEqual([fileOf(later)]);
  });

  it('leave other files in their folder alone', async () => {
    const { files, names, offers } = freshFiles();
    writeFileSync(join(offers, 'a.manifest'), 'x');
    await files.keepChain(genesis);
    const one = another('otto');
    await files.propose(genesis, one, []);
    expect(names()).toEqual([fileOf(one), 'a.manifest'].sort());
  });
});

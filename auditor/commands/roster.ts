// veilsum-audit roster: from the file that people write to the one that is pinned, and its hash. Needs no coordinator.

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { hex } from '../../src/base/index.js';
import { readRosterFile, rosterFromFile } from '../../src/config/index.js';
import type { Roster } from '../../src/protocol/index.js';
import { writeFileDurably } from '../../src/system/index.js';
import { encode, Roster as RosterMessage } from '../../src/wire/index.js';
import { checkedRoster, readRosterBin } from '../roster-file.js';
import type { GlobalOptions, World } from '../session.js';
import { printFacts, printJson } from '../terminal.js';

interface MakeOptions extends GlobalOptions {
  readonly out: string;
  readonly force?: boolean;
}

export function addRoster(program: Command, world: World): void {
  const roster = program.command('roster').description('make a roster and print its hash; needs no coordinator');
  roster
    .command('hash')
    .description('print the hash of a roster, which every member pins')
    .argument('<file>', 'roster in YAML (.yaml, .yml), or as `roster make` wrote it')
    .action(async (file: string, _options: object, command: Command) => {
      const { json } = command.optsWithGlobals<GlobalOptions>();
      const isYaml = /\.ya?ml$/i.test(file);
      const checked = isYaml ? checkedRoster(await bytesFromYaml(file), file) : await readRosterBin(file);
      if (json === true) printJson(world.terminal, rosterJson(checked));
      // The hash alone, so that a script can take it as it is.
      else world.terminal.print(hex(checked.hash));
    });
  roster
    .command('make')
    .description('turn a roster in YAML into the file that coordinator, silos and auditors read')
    .argument('<file.yaml>', 'roster in YAML; docs/samples/roster.yaml is one')
    .requiredOption('--out <file>', 'where the roster goes')
    .option('--force', 'replace a file that is already there: everybody must then pin the new hash')
    .action(async (file: string, _options: object, command: Command) => {
      const { out, force, json } = command.optsWithGlobals<MakeOptions>();
      const bytes = await bytesFromYaml(file);
      const checked = checkedRoster(bytes, file);
      await writeFileDurably(out, bytes, { replace: force === true });
      if (json === true) printJson(world.terminal, { ...rosterJson(checked), file: resolve(out) });
      else
        printFacts(world.terminal, [
          ['consortium', checked.consortiumId],
          ['members', [...checked.members.keys()].join(', ')],
          ['file', resolve(out)],
          ['hash (compare it by telephone)', hex(checked.hash)],
        ]);
    });
}

async function bytesFromYaml(file: string): Promise<Uint8Array> {
  return encode(RosterMessage, rosterFromFile(await readRosterFile(file)));
}

function rosterJson({ hash, consortiumId, epoch, members }: Roster) {
  return { consortium: consortiumId, epoch: Number(epoch), members: [...members.keys()], hash: hex(hash) };
}

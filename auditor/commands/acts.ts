// veilsum-audit acts: what operators and auditors did through the admin API, as the coordinator wrote it down.

import type { Command } from 'commander';
import { actJson } from '../json.js';
import { allActs } from '../lists.js';
import { withSession, type GlobalOptions, type World } from '../session.js';
import { printJson, printTable } from '../terminal.js';
import { aboutWord, timeWord } from '../words.js';

export function addActs(program: Command, world: World): void {
  program
    .command('acts')
    .description('what operators did and what was exported, by whom and when, as the coordinator wrote it down')
    .action(async (_options: object, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      const acts = await withSession(world, options, ({ client }) => allActs(client, world.signal));
      if (options.json === true) printJson(world.terminal, { acts: acts.map(actJson) });
      else
        printTable(
          world.terminal,
          ['NUMBER', 'AT', 'WHO', 'WHAT', 'ABOUT'],
          acts.map(({ number, atUnixMs, actor, method, about }) => [
            String(number),
            timeWord(atUnixMs) ?? '-',
            actor,
            method,
            aboutWord(about),
          ]),
        );
    });
}

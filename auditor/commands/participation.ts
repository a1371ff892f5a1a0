// veilsum-audit participation: a line a silo, a column a round.

import type { Command } from 'commander';
import type { Participation } from '../../src/wire/index.js';
import { participationJson } from '../json.js';
import { allParticipation } from '../lists.js';
import { withSession, type GlobalOptions, type World } from '../session.js';
import { printJson, printTable } from '../terminal.js';
import { roundNumber } from './round-number.js';

interface Options extends GlobalOptions {
  readonly from?: number;
  readonly to?: number;
}

/** Rounds that fit beside the names of silos in 100 columns. */
const COLUMNS_OF_ROUNDS = 60;

export function addParticipation(program: Command, world: World): void {
  program
    .command('participation')
    .description('who took part in which rounds of a job, and how far')
    .argument('<job>', 'name of the job')
    .option('--from <round>', 'first round', roundNumber)
    .option('--to <round>', 'last round', roundNumber)
    .action(async (jobId: string, _options: object, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const { terminal, signal } = world;
      const asked = { jobId, firstRound: options.from ?? 0, lastRound: options.to ?? 0 };
      const { silos, rounds } = await withSession(world, options, ({ client }) =>
        allParticipation(client, asked, signal),
      );
      if (options.json === true) {
        printJson(terminal, { job: jobId, silos, rounds: rounds.map((round) => participationJson(silos, round)) });
        return;
      }
      if (rounds.length === 0) {
        terminal.print(`Job ${jobId} has no such rounds yet.`);
        return;
      }
      for (let at = 0; at < rounds.length; at += COLUMNS_OF_ROUNDS) {
        const shown = rounds.slice(at, at + COLUMNS_OF_ROUNDS);
        const [first, last] = [shown[0]?.round ?? 0, shown.at(-1)?.round ?? 0];
        printTable(
          terminal,
          ['SILO', 'IN SUM', `ROUNDS ${String(first)} TO ${String(last)}`],
          silos.map((silo, k) => [silo, inSum(shown, k), shown.map((round) => mark(round, k)).join('')]),
        );
        terminal.print('');
      }
      terminal.print('A acknowledged  D disputed  3 in the sum  2 dealt shares  1 sent keys  0 in the cohort  . not');
    });
}

function inSum(rounds: readonly Participation[], silo: number): string {
  return `${String(rounds.filter(({ u3 }) => u3.includes(silo)).length)}/${String(rounds.length)}`;
}

/** How far the silo came in the round, in one character. */
export function mark(round: Participation, silo: number): string {
  if (round.disputed.includes(silo)) return 'D';
  if (round.u3.includes(silo)) return round.acknowledged.includes(silo) ? 'A' : '3';
  if (round.u2.includes(silo)) return '2';
  if (round.u1.includes(silo)) return '1';
  return round.cohort.includes(silo) ? '0' : '.';
}

/** The same for a picture, with how dark its cell is. */
export function participationCell(
  round: Participation,
  silo: number,
): { readonly letter: string; readonly shade: number } {
  const letter = mark(round, silo);
  const shades: Readonly<Record<string, number>> = { '.': 0, '0': 1, '1': 1, '2': 2, '3': 3, A: 4, D: 5 };
  return { letter: letter === '.' ? '' : letter, shade: shades[letter] ?? 0 };
}

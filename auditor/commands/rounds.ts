// veilsum-audit rounds: one line a round.

import type { Command } from 'commander';
import type { Round } from '../../src/wire/index.js';
import { roundJson } from '../json.js';
import { allRounds } from '../lists.js';
import { withSession, type GlobalOptions, type World } from '../session.js';
import { printJson, printTable } from '../terminal.js';
import { agreementOf, durationWord, metricWord, outcomeWord, phaseWord } from '../words.js';

export function addRounds(program: Command, world: World): void {
  program
    .command('rounds')
    .description('list the rounds of a job; loss and AUC are those of the model that a round started from')
    .argument('<job>', 'name of the job')
    .action(async (jobId: string, _options: object, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      const { terminal, signal } = world;
      const rounds = await withSession(world, options, ({ client }) => allRounds(client, jobId, signal));
      if (options.json === true) printJson(terminal, { job: jobId, rounds: rounds.map(roundJson) });
      else if (rounds.length === 0) terminal.print(`Job ${jobId} has not begun a round yet.`);
      else printTable(terminal, HEADER, rounds.map(rowOf));
    });
}

const HEADER = [
  'ROUND',
  'PHASE',
  'ATTEMPT',
  'IN SUM',
  'ACKS',
  'LOSS',
  'ACCURACY',
  'AUC',
  'AGREEMENT',
  'TIME',
  'OUTCOME',
];

function rowOf(round: Round): string[] {
  const { survivors, cohort, acknowledgedBy, startedUnixMs, endedUnixMs } = round;
  const ended = endedUnixMs > startedUnixMs;
  return [
    String(round.round),
    phaseWord(round.phase),
    String(round.attempt),
    `${survivors.length === 0 ? '-' : String(survivors.length)}/${String(cohort.length)}`,
    String(acknowledgedBy.length),
    metricWord(round, 'loss'),
    metricWord(round, 'accuracy'),
    metricWord(round, 'auc'),
    agreementWord(round),
    ended ? durationWord(Number(endedUnixMs - startedUnixMs)) : '-',
    outcomeWord(round) ?? '-',
  ];
}

function agreementWord(round: Round): string {
  const agreement = agreementOf(round);
  if (agreement === undefined) return '-';
  return `${agreement.value.toFixed(2)}${agreement.apart ? ' apart' : ''}`;
}

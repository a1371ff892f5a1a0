// veilsum-audit round: one round with its timeline, for a person.

import type { Command } from 'commander';
import { hex } from '../../src/base/index.js';
import { Phase, type GetRoundResponse, type Round } from '../../src/wire/index.js';
import { badAnswer } from '../checked-round.js';
import { roundJson } from '../json.js';
import { withSession, type GlobalOptions, type World } from '../session.js';
import { printFacts, printJson, printTable, type Terminal } from '../terminal.js';
import { addRoundAbort } from './job-order.js';
import { roundNumber } from './round-number.js';
import { durationWord, numberWord, outcomeWord, phaseWord, timeWord } from '../words.js';

export function addRound(program: Command, world: World): void {
  const group = program.command('round').description('show a round: who took part, what happened when; or end it');
  addRoundAbort(group, world);
  group
    .command('show', { isDefault: true })
    .description('who took part in a round, what happened when, and what came of it; `show` may be left out')
    .argument('<job>', 'name of the job')
    .argument('<round>', 'number of the round, from 1', roundNumber)
    .action(async (jobId: string, number: number, _options: object, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      const { terminal, signal } = world;
      const answer = await withSession(world, options, ({ client }) =>
        client.getRound({ jobId, round: number, fields: ['round'] }, signal),
      );
      const round = demandRound(answer, jobId, number);
      if (options.json === true) printJson(terminal, roundJson(round));
      else show(terminal, round);
    });
}

function demandRound({ round }: GetRoundResponse, jobId: string, number: number): Round {
  if (round?.jobId !== jobId || round.round !== number)
    throw badAnswer(`asked for round ${String(number)} of job "${jobId}", got another one.`);
  return round;
}

function show(terminal: Terminal, round: Round): void {
  terminal.print(`Round ${String(round.round)} of job ${round.jobId}`, 'heading');
  printFacts(terminal, factsOf(round));
  if (round.metrics.length > 0) {
    terminal.print('');
    terminal.print('Metrics of the model that the round started from', 'heading');
    printFacts(
      terminal,
      round.metrics.map(({ name, value }) => [`  ${name}`, numberWord(value)]),
    );
  }
  terminal.print('');
  printTable(terminal, ['ATTEMPT', 'PHASE', 'BEGAN', 'AFTER START', 'TOOK'], timelineOf(round));
  terminal.print('');
  printTable(terminal, ['SILO', 'IN SUM', 'LAST ANSWER', 'VERDICT', 'CONNECTED'], silosOf(round));
  if (round.notes.length === 0) return;
  terminal.print('');
  terminal.print('Notes', 'heading');
  for (const note of round.notes) terminal.print(`  ${note}`);
}

function factsOf(round: Round): [string, string][] {
  const { cohort, threshold, survivors } = round;
  return [
    ['phase', `${phaseWord(round.phase)}, attempt ${String(round.attempt)}`],
    ['outcome', outcomeWord(round) ?? 'none yet'],
    ['cohort', `${String(cohort.length)} silos, ${String(threshold)} needed to open the sum`],
    ['in the sum', survivors.length === 0 ? 'nobody yet' : `${String(survivors.length)} silos`],
    ['round id', hex(round.rid)],
    ...(round.resultHash.length === 0 ? [] : ([['result hash', hex(round.resultHash)]] satisfies [string, string][])),
    ...(round.newModelHash.length === 0
      ? []
      : ([['new model hash', hex(round.newModelHash)]] satisfies [string, string][])),
  ];
}

function timelineOf({ timeline, startedUnixMs }: Round): string[][] {
  return timeline.map(({ attempt, phase, beganUnixMs }, i) => {
    const next = timeline[i + 1];
    return [
      String(attempt),
      phaseWord(phase),
      timeWord(beganUnixMs) ?? '-',
      `+${durationWord(Number(beganUnixMs - startedUnixMs))}`,
      next === undefined ? '-' : durationWord(Number(next.beganUnixMs - beganUnixMs)),
    ];
  });
}

function silosOf({ progress, survivors, acknowledgedBy, disputedBy }: Round): string[][] {
  return progress.map(({ siloId, answered, connected }) => [
    siloId,
    survivors.includes(siloId) ? 'yes' : 'no',
    answered === Phase.PHASE_UNSPECIFIED ? '-' : phaseWord(answered),
    disputedBy.includes(siloId) ? 'DISPUTED' : acknowledgedBy.includes(siloId) ? 'acknowledged' : '-',
    connected ? 'yes' : 'no',
  ]);
}

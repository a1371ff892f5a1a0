// veilsum-audit round: one round with its timeline, for a person.

import type { Command } from 'commander';
import { hex } from '../../src/base/index.js';
import type { StatisticsReport } from '../../src/job/index.js';
import { JobKind, Outcome, Phase, type GetRoundResponse, type Round } from '../../src/wire/index.js';
import { badAnswer, fetchManifest } from '../checked-round.js';
import { fetchReport } from '../checked-statistics.js';
import { roundJson } from '../json.js';
import { printStatistics } from '../print-statistics.js';
import { withSession, type GlobalOptions, type Session, type World } from '../session.js';
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
      const { round, statistics } = await withSession(world, options, async (session) => {
        const answer = await session.client.getRound({ jobId, round: number, fields: ['round'] }, signal);
        const shown = demandRound(answer, jobId, number);
        return { round: shown, statistics: await statisticsOf(session, shown) };
      });
      if (options.json === true) printJson(terminal, { ...roundJson(round), ...(statistics && { statistics }) });
      else {
        show(terminal, round);
        if (statistics === undefined) return;
        terminal.print('');
        printStatistics(terminal, statistics);
      }
    });
}

/** What the round of a statistics job has summed, checked; undefined for rounds of other jobs and until there is a result. */
async function statisticsOf(session: Session, round: Round): Promise<StatisticsReport | undefined> {
  // A model has a loss; a statistics job says its number of records and nothing else.
  if (round.outcome !== Outcome.OUTCOME_APPLIED || round.metrics.some(({ name }) => name !== 'records'))
    return undefined;
  const manifest = await fetchManifest(session.client, session.roster, round.jobId);
  if (manifest.message.kind !== JobKind.JOB_KIND_STATISTICS) return undefined;
  return (await fetchReport(session, manifest)).report;
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

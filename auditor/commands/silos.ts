// veilsum-audit silos: who is there, with which certificate, and who is kept out.

import type { Command } from 'commander';
import { Phase, type Silo } from '../../src/wire/index.js';
import { badAnswer } from '../checked-round.js';
import { giveOrder, type OrderBody } from '../give-order.js';
import { siloJson } from '../json.js';
import { allSilos } from '../lists.js';
import { withSession, type GlobalOptions, type World } from '../session.js';
import { printFacts, printJson, printTable, type Terminal } from '../terminal.js';
import { agoWord, decisionWord, phaseWord, stateWord, timeWord, untilWord } from '../words.js';

interface Options extends GlobalOptions {
  readonly reason: string;
}

export function addSilos(program: Command, world: World): void {
  const silos = program.command('silos').description('list, show, deny and allow silos');
  addList(silos, world);
  addShow(silos, world);
  addOrder(silos, world, 'deny', 'keep a silo out: end its streams, refuse its calls, count it as absent', (value) => ({
    $case: 'denySilo',
    value,
  }));
  addOrder(silos, world, 'allow', 'let a silo in again', (value) => ({ $case: 'allowSilo', value }));
}

function addList(silos: Command, world: World): void {
  silos
    .command('list', { isDefault: true })
    .description('every silo of the roster: connected, last seen, end of its certificate; `list` may be left out')
    .action(async (_options: object, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      const { terminal, signal } = world;
      const { all, now } = await withSession(world, options, async ({ client }) => ({
        all: await allSilos(client, signal),
        now: (await client.getServerInfo({}, signal)).nowUnixMs,
      }));
      if (options.json === true) printJson(terminal, { silos: all.map(siloJson) });
      else
        printTable(
          terminal,
          ['SILO', 'CONNECTED', 'LAST SEEN', 'VERSION', 'CERTIFICATE', 'NOW'],
          all.map((silo) => [
            silo.siloId,
            silo.connected ? 'yes' : 'no',
            silo.connected ? 'now' : agoWord(silo.lastSeenUnixMs, now),
            silo.agentVersion === '' ? '-' : silo.agentVersion,
            untilWord(silo.certificateNotAfterUnixMs, now),
            doing(silo),
          ]),
        );
    });
}

function doing({ denied, jobs }: Silo): string {
  if (denied !== undefined) return `DENIED by ${denied.by}: ${denied.reason}`;
  const words = jobs.flatMap((job) => {
    if (job.barred !== '') return [`${job.jobId}: barred, ${job.barred}`];
    return job.openRound === 0 ? [] : [`${job.jobId}: round ${String(job.openRound)}, ${phaseWord(job.phase)}`];
  });
  return words.length === 0 ? '-' : words.join('; ');
}

function addShow(silos: Command, world: World): void {
  silos
    .command('show')
    .description('one silo with its jobs')
    .argument('<silo>', 'name of the silo')
    .action(async (siloId: string, _options: object, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      const { silo } = await withSession(world, options, ({ client }) => client.getSilo({ siloId }, world.signal));
      if (silo?.siloId !== siloId) throw badAnswer(`asked for silo "${siloId}", got another one.`);
      if (options.json === true) printJson(world.terminal, siloJson(silo));
      else show(world.terminal, silo);
    });
}

function show(terminal: Terminal, silo: Silo): void {
  terminal.print(`Silo ${silo.siloId}`, 'heading');
  printFacts(terminal, [
    ['connected', silo.connected ? 'yes' : 'no'],
    ['last seen', timeWord(silo.lastSeenUnixMs) ?? 'never'],
    ['agent version', silo.agentVersion === '' ? '-' : silo.agentVersion],
    ['certificate ends', timeWord(silo.certificateNotAfterUnixMs) ?? '-'],
    ['certificate serial', silo.certificateSerial === '' ? '-' : silo.certificateSerial],
    ...(silo.denied === undefined
      ? []
      : ([
          ['DENIED', silo.denied.reason],
          ['  by', silo.denied.by],
          ['  since', timeWord(silo.denied.sinceUnixMs) ?? '-'],
        ] satisfies [string, string][])),
  ]);
  terminal.print('');
  if (silo.jobs.length === 0) {
    terminal.print('It is in no job.');
    return;
  }
  printTable(
    terminal,
    ['JOB', 'STATE', 'DECISION', 'IN COHORT', 'IN SUM', 'OPEN ROUND', 'ANSWERED', 'BARRED'],
    silo.jobs.map((job) => [
      job.jobId,
      stateWord(job.state),
      decisionWord(job.decision) ?? '-',
      String(job.roundsInCohort),
      String(job.roundsInSum),
      job.openRound === 0 ? '-' : `${String(job.openRound)}, ${phaseWord(job.phase)}`,
      job.openRound === 0 || job.answered === Phase.PHASE_UNSPECIFIED ? '-' : phaseWord(job.answered),
      job.barred === '' ? '-' : job.barred,
    ]),
  );
}

function addOrder(
  silos: Command,
  world: World,
  name: 'deny' | 'allow',
  description: string,
  body: (of: { readonly siloId: string }) => OrderBody,
): void {
  silos
    .command(name)
    .description(description)
    .argument('<silo>', 'name of the silo')
    .requiredOption('--reason <text>', 'why, for everybody who reads it later')
    .action(async (siloId: string, _options: object, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const number = await withSession(world, options, (session) =>
        giveOrder(session, body({ siloId }), options.reason, world.signal),
      );
      if (options.json === true)
        printJson(world.terminal, {
          number: Number(number),
          order: `${name}-silo`,
          silo: siloId,
          reason: options.reason,
        });
      else
        world.terminal.print(
          `Order ${String(number)}: silo ${siloId} is ${name === 'deny' ? 'kept out' : 'let in again'}.`,
        );
    });
}

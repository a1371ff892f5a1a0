// veilsum-audit report: one page that tells a job's story.

import type { Command } from 'commander';
import { utf8 } from '../../src/base/index.js';
import { writeFileDurably } from '../../src/system/index.js';
import { badAnswer } from '../checked-round.js';
import { jobJson, ledgerJson, participationJson } from '../json.js';
import { allLedgerLines, allParticipation, allRounds } from '../lists.js';
import { roundFacts, type ReportFacts } from '../report/facts.js';
import { checkpointHistory } from '../report/history.js';
import { reportPage } from '../report/page.js';
import { withSession, type GlobalOptions, type World } from '../session.js';
import { printJson } from '../terminal.js';
import { timeWord } from '../words.js';

interface Options extends GlobalOptions {
  readonly out?: string;
  readonly force?: boolean;
}

export function addReport(program: Command, world: World): void {
  program
    .command('report')
    .description(
      'one self-contained HTML page about a job: convergence, participation, times, privacy, checkpoints; or its facts as JSON',
    )
    .argument('<job>', 'name of the job')
    .option('--out <file>', 'where to write the page')
    .option('--force', 'replace the file if there is one')
    .action(async (jobId: string, _options: object, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const { terminal } = world;
      if (options.out === undefined && options.json !== true)
        command.error('error: name the page with --out FILE, or ask for --json', { exitCode: 2 });
      const facts = await gatherFacts(world, options, jobId);
      if (options.out !== undefined) {
        await writeFileDurably(options.out, utf8(reportPage(facts)), { replace: options.force === true });
        if (options.json !== true) terminal.print(`Wrote ${options.out}: ${String(facts.rounds.length)} rounds.`);
      }
      if (options.json === true) printJson(terminal, reportJson(facts, options.out));
    });
}

function gatherFacts(world: World, options: GlobalOptions, jobId: string): Promise<ReportFacts> {
  const { signal } = world;
  return withSession(world, options, async (session) => {
    const { client } = session;
    const { job } = await client.getJob({ jobId }, signal);
    if (job?.jobId !== jobId) throw badAnswer(`asked for job "${jobId}", got another one.`);
    const { version, consortiumId, nowUnixMs } = await client.getServerInfo({}, signal);
    return {
      job,
      coordinator: { version, consortium: consortiumId },
      madeAt: timeWord(nowUnixMs) ?? 'an unknown time',
      rounds: (await allRounds(client, jobId, signal)).map(roundFacts),
      participation: await allParticipation(client, { jobId }, signal),
      ledger: await allLedgerLines(client, jobId, signal),
      checkpoints: await checkpointHistory(session, jobId, signal),
    };
  });
}

function reportJson(
  { job, coordinator, madeAt, rounds, participation, ledger, checkpoints }: ReportFacts,
  out: string | undefined,
) {
  return {
    ...(out === undefined ? {} : { page: out }),
    made: madeAt,
    coordinator,
    job: jobJson(job),
    rounds,
    participation: participation.rounds.map((round) => participationJson(participation.silos, round)),
    ledger: ledger.map((line) => ledgerJson(line)),
    checkpoints: checkpoints ?? null,
  };
}

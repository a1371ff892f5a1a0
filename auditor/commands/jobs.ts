// veilsum-audit jobs

import type { Command } from 'commander';
import { jobJson } from '../json.js';
import { allJobs } from '../lists.js';
import { withSession, type GlobalOptions, type World } from '../session.js';
import { printJson, printTable } from '../terminal.js';
import { kindWord, stateWord, timeWord } from '../words.js';

export function addJobs(program: Command, world: World): void {
  program
    .command('jobs')
    .description('list the jobs that the coordinator knows')
    .action(async (_options: object, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      const { terminal, signal } = world;
      const jobs = await withSession(world, options, ({ client }) => allJobs(client, signal));
      if (options.json === true) {
        printJson(terminal, { jobs: jobs.map(jobJson) });
        return;
      }
      if (jobs.length === 0) {
        terminal.print('There are no jobs. An operator makes one with veilsum-audit job create.');
        return;
      }
      printTable(
        terminal,
        ['JOB', 'KIND', 'STATE', 'ROUNDS', 'APPROVED', 'CREATED', 'REASON'],
        jobs.map((job) => [
          job.jobId,
          kindWord(job.kind),
          stateWord(job.state),
          `${String(job.roundsDone)}/${String(job.roundLimit)}`,
          `${String(job.approvedBy.length)}/${String(job.silos.length)}`,
          timeWord(job.createdUnixMs) ?? '-',
          job.reason,
        ]),
      );
    });
}

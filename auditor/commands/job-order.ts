// veilsum-audit job pause, resume, abort; veilsum-audit round abort: orders about jobs and rounds.

import type { Command } from 'commander';
import { giveOrder, namedJob, type OrderBody } from '../give-order.js';
import { withSession, type GlobalOptions, type World } from '../session.js';
import { printJson } from '../terminal.js';
import { roundNumber } from './round-number.js';

interface Options extends GlobalOptions {
  readonly reason: string;
}

type JobNamed = Awaited<ReturnType<typeof namedJob>>;

export function addJobOrders(job: Command, world: World): void {
  const orders: [string, string, (of: JobNamed) => OrderBody, string][] = [
    [
      'pause',
      'open no further round of a job; the open one runs to its end',
      (value) => ({ $case: 'pauseJob', value }),
      'is paused. A round that is open runs to its end.',
    ],
    ['resume', 'let a paused job go on', (value) => ({ $case: 'resumeJob', value }), 'goes on.'],
    [
      'abort',
      'end a job for good; its open round is abandoned',
      (value) => ({ $case: 'abortJob', value }),
      'is ended. Its silos are shown the order.',
    ],
  ];
  for (const [name, description, body, done] of orders)
    job
      .command(name)
      .description(description)
      .argument('<job>', 'name of the job')
      .requiredOption('--reason <text>', 'why, for everybody who reads it later')
      .action(async (jobId: string, _options: object, command: Command) => {
        await order(world, command, jobId, body, { order: `${name}-job`, job: jobId }, `Job ${jobId} ${done}`);
      });
}

export function addRoundAbort(round: Command, world: World): void {
  round
    .command('abort')
    .description('abandon the open round of a job; the next one follows')
    .argument('<job>', 'name of the job')
    .argument('<round>', 'number of the open round', roundNumber)
    .requiredOption('--reason <text>', 'why, for everybody who reads it later')
    .action(async (jobId: string, number: number, _options: object, command: Command) => {
      const body = (value: JobNamed): OrderBody => ({ $case: 'abortRound', value: { ...value, round: number } });
      const facts = { order: 'abort-round', job: jobId, round: number };
      await order(world, command, jobId, body, facts, `Round ${String(number)} of job ${jobId} is abandoned.`);
    });
}

async function order(
  world: World,
  command: Command,
  jobId: string,
  body: (of: JobNamed) => OrderBody,
  facts: Readonly<Record<string, string | number>>,
  done: string,
): Promise<void> {
  const options = command.optsWithGlobals<Options>();
  const number = await withSession(world, options, async (session) =>
    giveOrder(session, body(await namedJob(session, jobId)), options.reason, world.signal),
  );
  if (options.json === true) printJson(world.terminal, { number: Number(number), ...facts, reason: options.reason });
  else world.terminal.print(`Order ${String(number)}: ${done}`);
}

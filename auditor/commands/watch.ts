// veilsum-audit watch: one line for each change, until the job is over. Connections come and go under it: every hour the coordinator
// asks for a new one, and what has been printed is not printed again.

import type { Command } from 'commander';
import { isCodedError } from '../../src/base/index.js';
import type { Job, Round, WatchRoundsResponse } from '../../src/wire/index.js';
import { jobJson, roundJson } from '../json.js';
import { withSession, type GlobalOptions, type Session, type World } from '../session.js';
import { jsonLine, type Terminal } from '../terminal.js';
import { agreementOf, durationWord, isOver, metricWord, outcomeWord, phaseWord, stateWord } from '../words.js';

/** Breaks in a row without a single update after which the coordinator counts as gone. */
const BREAKS_MAX = 5;
const PAUSE_MS = 1_000;

export function addWatch(program: Command, world: World): void {
  program
    .command('watch')
    .description('print a line for each change of a job and its rounds, until the job is over or Ctrl-C')
    .argument('<job>', 'name of the job')
    .action(async (jobId: string, _options: object, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      const lines = new Lines(world.terminal, options.json === true);
      await withSession(world, options, (session) => follow(session, jobId, lines, world.signal));
    });
}

async function follow({ client }: Session, jobId: string, lines: Lines, signal: AbortSignal): Promise<void> {
  for (let breaks = 0; ; ) {
    try {
      for await (const update of client.watchRounds({ jobId }, signal)) {
        breaks = 0;
        lines.show(update);
      }
      if (lines.over || signal.aborted) return;
    } catch (cause) {
      if (signal.aborted) return;
      if (!isCodedError(cause) || cause.category !== 'unavailable' || breaks + 1 >= BREAKS_MAX) throw cause;
    }
    breaks += 1;
    await pause(PAUSE_MS * breaks, signal);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}

/** Prints what differs from what was printed last about the same round or job. */
class Lines {
  over = false;
  readonly #printed = new Map<number | 'job', string>();
  readonly #terminal: Terminal;
  readonly #json: boolean;

  constructor(terminal: Terminal, json: boolean) {
    this.#terminal = terminal;
    this.#json = json;
  }

  show({ update }: WatchRoundsResponse): void {
    if (update?.$case === 'round') {
      const { value } = update;
      this.#print(value.round, this.#json ? jsonLine({ round: roundJson(value) }) : roundLine(value));
    }
    if (update?.$case === 'job') {
      const { value } = update;
      this.over = isOver(value);
      this.#print('job', this.#json ? jsonLine({ job: jobJson(value) }) : jobLine(value));
    }
  }

  #print(what: number | 'job', line: string): void {
    if (this.#printed.get(what) === line) return;
    this.#printed.set(what, line);
    this.#terminal.print(line);
  }
}

function jobLine(job: Job): string {
  const approved = `${String(job.approvedBy.length)} of ${String(job.silos.length)} silos approved`;
  const rounds = `${String(job.roundsDone)} of ${String(job.roundLimit)} rounds`;
  return `job ${job.jobId}: ${stateWord(job.state)}, ${approved}, ${rounds}${job.reason === '' ? '' : `, ${job.reason}`}`;
}

function roundLine(round: Round): string {
  const head = `round ${String(round.round)}: ${phaseWord(round.phase)}, attempt ${String(round.attempt)}`;
  const outcome = outcomeWord(round);
  return [head, ...(outcome === undefined ? openWords(round) : closedWords(round, outcome))].join(', ');
}

function openWords({ progress, phase, survivors, cohort }: Round): string[] {
  const answered = progress.filter((silo) => silo.answered === phase).length;
  const away = progress.filter(({ connected }) => !connected).map(({ siloId }) => siloId);
  const expected = survivors.length > 0 ? survivors.length : cohort.length;
  return [
    `${String(answered)} of ${String(expected)} silos have answered`,
    ...(away.length === 0 ? [] : [`away: ${away.join(' ')}`]),
  ];
}

function closedWords(round: Round, outcome: string): string[] {
  const { survivors, cohort, acknowledgedBy, disputedBy, startedUnixMs, endedUnixMs, notes } = round;
  if (outcome === 'abandoned') return notes.slice(-1);
  return [
    outcome,
    `${String(survivors.length)} of ${String(cohort.length)} silos in the sum`,
    `${String(acknowledgedBy.length)} acknowledged`,
    ...(disputedBy.length === 0 ? [] : [`DISPUTED by ${disputedBy.join(' ')}`]),
    ...(['loss', 'auc'] as const).flatMap((name) => {
      const value = metricWord(round, name);
      return value === '-' ? [] : [`${name} ${value}`];
    }),
    ...agreementWords(round),
    ...(endedUnixMs > startedUnixMs ? [durationWord(Number(endedUnixMs - startedUnixMs))] : []),
  ];
}

function agreementWords(round: Round): string[] {
  const agreement = agreementOf(round);
  if (agreement === undefined) return [];
  const words = `agreement ${agreement.value.toFixed(2)}`;
  return [agreement.apart ? `WARNING: the silos’ updates pull apart, ${words}` : words];
}

// Follows a job through the admin API, as an operator would, and shows each round as it goes.

import { connectAdmin, type AdminClient } from '../../src/transport/index.js';
import { readClientConfig } from '../../src/config/index.js';
import { readTlsFiles } from '../../src/pki/index.js';
import { systemClock, systemRng } from '../../src/system/index.js';
import { JobState, Phase, type Job, type Round } from '../../src/wire/index.js';
import { number, phaseName, type Screen } from './screen.js';

export async function connectOperator(config: string): Promise<AdminClient> {
  const { coordinator, tls, consortium } = await readClientConfig(config);
  return connectAdmin({
    address: coordinator.address,
    serverName: coordinator.serverName,
    tls: await readTlsFiles(tls),
    consortium,
    clock: systemClock,
    rng: systemRng,
  });
}

export interface RoundOutcome {
  readonly round: number;
  readonly cohort: number;
  readonly survivors: number;
  readonly loss: number | undefined;
  readonly auc: number | undefined;
  readonly ms: number;
}

export interface Follow {
  readonly client: AdminClient;
  readonly jobId: string;
  readonly screen: Screen;
  /** Last training round; the one after it only measures. */
  readonly rounds: number;
  readonly signal: AbortSignal;
  /** Told when a round has its terminal entry, before its line is shown; returns what to add to it. */
  readonly onRound: (round: Round) => Promise<string> | string;
}

/** Resolves when the job is completed; rejects when it ends otherwise. */
export async function follow({ client, jobId, screen, rounds, signal, onRound }: Follow): Promise<RoundOutcome[]> {
  const outcomes: RoundOutcome[] = [];
  const seen = new Set<number>();
  for await (const { update } of client.watchRounds({ jobId }, signal)) {
    if (update?.$case === 'round') {
      const round = update.value;
      if (round.phase !== Phase.PHASE_DONE && round.phase !== Phase.PHASE_ABANDONED) {
        screen.live(liveLine(round));
        continue;
      }
      if (seen.has(round.round)) continue;
      seen.add(round.round);
      const remark = await onRound(round);
      const outcome = outcomeOf(round);
      if (round.round <= rounds) outcomes.push(outcome);
      screen.say(doneLine(round, outcome, round.round > rounds, remark));
    } else if (update?.$case === 'job') {
      const job = update.value;
      if (job.state === JobState.JOB_STATE_COMPLETED) return outcomes;
      if (job.state === JobState.JOB_STATE_PAUSED || job.state === JobState.JOB_STATE_ENDED)
        throw new Error(`job ${jobId} stopped: ${job.reason}`);
      screen.live(waitingLine(job));
    }
  }
  throw new Error(`the coordinator ended the stream of job ${jobId}`);
}

function outcomeOf(round: Round): RoundOutcome {
  const metric = (name: string): number | undefined => round.metrics.find((one) => one.name === name)?.value;
  return {
    round: round.round,
    cohort: round.cohort.length,
    survivors: round.survivors.length,
    loss: metric('loss'),
    auc: metric('auc'),
    ms: Number(round.endedUnixMs - round.startedUnixMs),
  };
}

function liveLine(round: Round): string {
  const answered = round.progress.filter((one) => one.answered >= round.phase).length;
  return `  round ${String(round.round).padStart(2)}  ${phaseName(round.phase).padEnd(14)} ${String(answered)} of ${String(round.cohort.length)} silos`;
}

function waitingLine(job: Job): string {
  return `  ${String(job.approvedBy.length)} of ${String(job.silos.length)} silos have approved, waiting for the cohort`;
}

function doneLine(round: Round, outcome: RoundOutcome, closing: boolean, remark: string): string {
  const silos = `${String(outcome.survivors)}/${String(outcome.cohort)} silos`;
  const name = closing ? 'final model' : `round ${String(round.round).padStart(2)}`;
  const end =
    round.phase === Phase.PHASE_ABANDONED
      ? 'abandoned'
      : `loss ${number(outcome.loss, 4)}  AUC ${number(outcome.auc, 3)}`;
  return `  ${name.padEnd(12)} ${silos.padEnd(10)} ${end.padEnd(28)} ${String(outcome.ms).padStart(5)} ms  ${remark}`.trimEnd();
}

// Follows the job's rounds to their end, and what each phase of each took by the coordinator's own timeline.

import type { AdminClient } from '../../src/transport/index.js';
import { JobState, Phase, type Round } from '../../src/wire/index.js';
import { JOB } from './founding.js';

export interface RoundTimes {
  readonly round: number;
  readonly attempts: number;
  readonly survivors: number;
  readonly result: boolean;
  readonly startedMs: number;
  readonly totalMs: number;
  /** By phase of the last attempt. */
  readonly phases: Readonly<Record<string, number>>;
}

export async function followRounds(
  client: AdminClient,
  onRound: (round: RoundTimes) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const seen = new Set<number>();
  for await (const { update } of client.watchRounds({ jobId: JOB }, signal)) {
    if (update?.$case === 'round') {
      const round = update.value;
      const over = round.phase === Phase.PHASE_DONE || round.phase === Phase.PHASE_ABANDONED;
      if (!over || seen.has(round.round)) continue;
      seen.add(round.round);
      await onRound(timesOf(round));
    } else if (update?.$case === 'job') {
      const { state, reason } = update.value;
      if (state === JobState.JOB_STATE_COMPLETED) return;
      if (state > JobState.JOB_STATE_RUNNING) throw new Error(`the job ended otherwise than completed: ${reason}`);
    }
  }
  throw new Error('the coordinator ended the stream before the job was over');
}

function timesOf(round: Round): RoundTimes {
  const phases: Record<string, number> = {};
  const steps = round.timeline.filter(({ attempt }) => attempt === round.attempt);
  steps.forEach(({ phase, beganUnixMs }, k) => {
    const end = steps[k + 1]?.beganUnixMs ?? round.endedUnixMs;
    const name = Phase[phase].replace(/^PHASE_/, '').toLowerCase();
    phases[name] = (phases[name] ?? 0) + Number(end - beganUnixMs);
  });
  return {
    round: round.round,
    attempts: round.attempt,
    survivors: round.survivors.length,
    result: round.phase === Phase.PHASE_DONE,
    startedMs: Number(round.startedUnixMs),
    totalMs: Number(round.endedUnixMs - round.startedUnixMs),
    phases,
  };
}

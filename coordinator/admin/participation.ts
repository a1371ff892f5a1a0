// Who took part in what: for each round the cohort, U1, U2 and U3 of its last attempt, and the verdicts, as positions in the job's list of silos.

import type { SiloId } from '../../src/base/index.js';
import type { ClosedRound, CoordinatorJob, CoordinatorRound } from '../../src/protocol/index.js';
import { Outcome, Phase, type Participation } from '../../src/wire/index.js';
import { COORDINATOR_PHASES, isClosed } from './round-view.js';

export function participationIn({ manifest }: CoordinatorJob, round: ClosedRound | CoordinatorRound): Participation {
  const positions = new Map(manifest.silos.map((silo, at) => [silo, at]));
  const at = (silos: Iterable<SiloId>): number[] =>
    [...silos].flatMap((silo) => positions.get(silo) ?? []).sort((a, b) => a - b);
  const { cohort } = round.plan;
  if (isClosed(round))
    return {
      round: round.plan.round,
      attempt: round.attempt,
      phase: round.result === undefined ? Phase.PHASE_ABANDONED : Phase.PHASE_DONE,
      outcome: round.result?.outcome ?? Outcome.OUTCOME_UNSPECIFIED,
      cohort: at(cohort),
      u1: at(round.advertisers),
      u2: at(round.dealers),
      u3: at(round.survivors),
      acknowledged: at(round.acks.keys()),
      disputed: at(round.disputes.keys()),
    };
  const { attempt } = round;
  const of = (indices: Iterable<number> = []): number[] => at([...indices].flatMap((index) => cohort[index] ?? []));
  return {
    round: round.plan.round,
    attempt: attempt.context.attempt.attempt,
    phase: COORDINATOR_PHASES[attempt.phase],
    outcome: Outcome.OUTCOME_UNSPECIFIED,
    cohort: at(cohort),
    u1: of(attempt.keys?.members.keys()),
    u2: of(attempt.dealers?.members.keys()),
    u3: of(attempt.survivors?.members.keys()),
    acknowledged: [],
    disputed: [],
  };
}

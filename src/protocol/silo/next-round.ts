// What every plan must meet that a silo hears of, whether it is asked to join, told a result or told that the round is given up.

import { equalBytes, hex } from '../../base/index.js';
import type { Envelope } from '../../wire/index.js';
import type { Plan } from '../plan.js';
import { demand, demandOne } from '../rejection.js';
import type { JobState } from './state.js';

/**
 * The plan opens the round after the last one closed here, is the only one of that round, and follows from the result and the model this
 * silo computed itself. `order`: the code of a round that is not the next one; `told`: what came with the plan and belongs to the evidence.
 */
export function demandNextRound(
  job: JobState,
  plan: Plan,
  order: 'plan/round-order' | 'result/order',
  told: readonly Envelope[] = [],
): void {
  demand(job.prepared, 'plan/not-prepared', job.unfit ?? `job "${plan.jobId}" is still being prepared.`, 'state');
  demand(
    plan.round === job.closedRound + 1,
    order,
    `the next round here is ${String(job.closedRound + 1)}, what came is about round ${String(plan.round)}.`,
    'state',
  );
  demand(
    plan.roster.epoch >= job.epoch,
    'plan/roster-epoch',
    `the plan names epoch ${String(plan.roster.epoch)} of the roster, the round before was planned under ${String(job.epoch)}.`,
  );
  demand(
    !job.stopped,
    'plan/round-limit',
    `the rule of job "${plan.jobId}" ended it after round ${String(job.closedRound)}.`,
  );
  demandOne(
    job.open === undefined || equalBytes(job.open.plan.rid, plan.rid),
    'plan/second-plan',
    `another plan was accepted for round ${String(plan.round)}.`,
    [job.open?.plan.envelope, plan.envelope, ...told],
  );
  demand(
    equalBytes(plan.previousResultHash, job.previousResultHash),
    'plan/previous-result',
    'the plan does not follow from the last result verified here.',
  );
  demand(
    equalBytes(plan.modelHash, job.modelHash),
    'plan/model-mismatch',
    `the plan starts from model ${hex(plan.modelHash)}, computed here was ${hex(job.modelHash)}.`,
  );
}

// The learning-rate schedule of a recipe: its message, its settings, and what they may be.

import type { LearningRateSchedule } from '../model/index.js';
import { LIMITS } from '../base/index.js';
import type { LearningRateSchedule as ScheduleMessage } from '../wire/index.js';
import { isWhole, type Problems } from './problems.js';
import type { Recipe } from './recipe-terms.js';

type ScheduleTerms = Pick<Recipe, 'schedule' | 'warmUpRounds'>;

/** No message is a constant rate from the first round on. */
export function readSchedule(message: ScheduleMessage | undefined): ScheduleTerms {
  const warmUpRounds = message?.warmUpRounds ?? 0;
  const kind = message?.kind;
  if (kind === undefined) return { schedule: { kind: 'constant' }, warmUpRounds };
  const schedule: LearningRateSchedule =
    kind.$case === 'step' ? { kind: 'step', ...kind.value } : { kind: 'cosine', ...kind.value };
  return { schedule, warmUpRounds };
}

export function writeSchedule({ schedule, warmUpRounds }: ScheduleTerms): ScheduleMessage | undefined {
  switch (schedule.kind) {
    case 'constant':
      return warmUpRounds === 0 ? undefined : { kind: undefined, warmUpRounds };
    case 'step': {
      const { everyRounds, factor } = schedule;
      return { kind: { $case: 'step', value: { everyRounds, factor } }, warmUpRounds };
    }
    case 'cosine':
      return { kind: { $case: 'cosine', value: { finalFactor: schedule.finalFactor } }, warmUpRounds };
  }
}

export function checkSchedule({ schedule, warmUpRounds }: ScheduleTerms, problems: Problems): void {
  const { roundsMax } = LIMITS;
  problems.require(isWhole(warmUpRounds, 0, roundsMax), 'schedule.warm_up_rounds', `0 to ${String(roundsMax)}`);
  if (schedule.kind === 'step') {
    const { everyRounds, factor } = schedule;
    problems.require(isWhole(everyRounds, 1, roundsMax), 'schedule.step.every_rounds', `1 to ${String(roundsMax)}`);
    problems.require(factor > 0 && factor <= 1, 'schedule.step.factor', 'a number above 0 and at most 1');
  }
  if (schedule.kind === 'cosine')
    problems.require(
      // 0 would leave the last round without any step.
      schedule.finalFactor > 0 && schedule.finalFactor <= 1,
      'schedule.cosine.final_factor',
      'a number above 0 and at most 1',
    );
}

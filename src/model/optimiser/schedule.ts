// How the local learning rate changes from round to round. A round has one rate: every silo knows the round's number, so all agree
// without saying anything.

export type LearningRateSchedule =
  | { readonly kind: 'constant' }
  | {
      readonly kind: 'step';
      /** rate * factor^floor((round - 1) / everyRounds). */
      readonly everyRounds: number;
      readonly factor: number;
    }
  | {
      readonly kind: 'cosine';
      /** Falls along half a cosine from 1 in the first round to this part of the rate in the last (Loshchilov and Hutter 2017). */
      readonly finalFactor: number;
    };

export interface RatePlan {
  readonly learningRate: number;
  readonly schedule: LearningRateSchedule;
  /** The rate climbs in equal steps over this many rounds first (Goyal et al. 2017); 0 for none. */
  readonly warmUpRounds: number;
}

/** `round`: from 1 to `rounds`. The schedule counts all rounds, those of the climb too. */
export function learningRateAt(
  { learningRate, schedule, warmUpRounds }: RatePlan,
  round: number,
  rounds: number,
): number {
  const climb = warmUpRounds > 0 ? Math.min(1, round / (warmUpRounds + 1)) : 1;
  return learningRate * climb * factorAt(schedule, round, rounds);
}

function factorAt(schedule: LearningRateSchedule, round: number, rounds: number): number {
  switch (schedule.kind) {
    case 'constant':
      return 1;
    case 'step':
      return schedule.factor ** Math.floor((round - 1) / schedule.everyRounds);
    case 'cosine': {
      const done = rounds > 1 ? (round - 1) / (rounds - 1) : 0;
      return schedule.finalFactor + ((1 - schedule.finalFactor) * (1 + Math.cos(Math.PI * done))) / 2;
    }
  }
}

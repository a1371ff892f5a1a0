// What a budget buys, before anything is trained. Noise follows from epsilon exactly; what it does to a model is an estimate, and each
// number says which of the two it is.

import { noiseFor } from './calibrate.js';
import { demandParameter } from './errors.js';
import { accountRun, type Account } from './account.js';

export interface Budget {
  readonly epsilon: number;
  readonly delta: number;
  /** Rounds of the job. */
  readonly rounds: number;
}

/** Records protected one by one: DP-SGD inside each silo. */
export interface RecordTerms {
  /** Records of the smallest silo: it samples the largest part of its own. */
  readonly records: number;
  /** Expected records in a batch. */
  readonly batch: number;
  /** Steps of one silo in one round. */
  readonly stepsPerRound: number;
  readonly silos: number;
}

export interface RecordPlan {
  readonly sampling: number;
  /** T: steps of one silo in all rounds. */
  readonly steps: number;
  /** sigma, in clips. */
  readonly noise: number;
  readonly account: Account;
  /** Standard deviation that noise puts on a coordinate of one step's mean gradient, in clips. */
  readonly stepNoise: number;
  /** The same on the mean of all silos' updates of one round, in clips times the learning rate: plain SGD, an estimate otherwise. */
  readonly roundNoise: number;
}

/** Throws PrivacyError `privacy/bad-parameter`, `privacy/out-of-reach`. */
export function planRecords(budget: Budget, terms: RecordTerms): RecordPlan {
  const { records, batch, stepsPerRound, silos } = terms;
  demandParameter(Number.isInteger(records) && records >= 1, 'the number of records', 'a whole number from 1', records);
  demandParameter(batch > 0 && batch <= records, 'the batch', `from 1 to the ${String(records)} records`, batch);
  demandParameter(
    Number.isInteger(stepsPerRound) && stepsPerRound >= 1,
    'the steps of a round',
    'a whole number from 1',
    stepsPerRound,
  );
  demandRounds(budget.rounds);
  const run = { sampling: batch / records, steps: budget.rounds * stepsPerRound, delta: budget.delta };
  const noise = roundUp(noiseFor(run, budget.epsilon, 'pld'));
  const stepNoise = noise / batch;
  return {
    sampling: run.sampling,
    steps: run.steps,
    noise,
    account: accountRun({ ...run, noise }),
    stepNoise,
    roundNoise: stepNoise * Math.sqrt(stepsPerRound / silos),
  };
}

/** Silos protected whole: every silo adds a share of noise to its update, under the mask. */
export interface SiloTerms {
  readonly silos: number;
  /** Honest silos whose noise is surely in a sum: t less the malicious, and less the one who reads. */
  readonly contributors: number;
}

export interface SiloPlan {
  /** Noise in the sum of `contributors`, in clips. */
  readonly noise: number;
  readonly account: Account;
  /** What one silo adds to a coordinate: its standard deviation, in clips. */
  readonly siloNoise: number;
  /** Standard deviation on a coordinate of the mean update when all silos take part, in clips. */
  readonly meanNoise: number;
}

/** Every silo takes part in every round: there is no sampling to make it cheaper. Throws as `planRecords`. */
export function planSilos(budget: Budget, { silos, contributors }: SiloTerms): SiloPlan {
  demandRounds(budget.rounds);
  demandParameter(
    Number.isInteger(contributors) && contributors >= 1,
    'the honest silos in a sum',
    'a whole number from 1',
    contributors,
  );
  const run = { sampling: 1, steps: budget.rounds, delta: budget.delta };
  const noise = roundUp(noiseFor(run, budget.epsilon, 'pld'));
  const siloNoise = noise / Math.sqrt(contributors);
  return {
    noise,
    account: accountRun({ ...run, noise }),
    siloNoise,
    meanNoise: siloNoise / Math.sqrt(silos),
  };
}

/**
 * How much of a mean update's direction survives, an estimate: an update of the length of the clip against the length of the noise on
 * `parameters` coordinates, added over all rounds as if each pointed the same way. Below 1 noise leads.
 */
export function signalToNoise(meanNoise: number, parameters: number, rounds: number): number {
  return Math.sqrt(rounds) / (meanNoise * Math.sqrt(parameters));
}

function demandRounds(rounds: number): void {
  demandParameter(Number.isInteger(rounds) && rounds >= 1, 'the number of rounds', 'a whole number from 1', rounds);
}

/** To four digits, upwards: what is printed is what was accounted for. */
function roundUp(noise: number): number {
  const unit = 10 ** (Math.floor(Math.log10(noise)) - 3);
  return Number((Math.ceil(noise / unit) * unit).toPrecision(12));
}

// What a budget buys, before anything is trained. Noise follows from epsilon exactly; what it does to a model is an estimate, and each
// number says which of the two it is.

import { accountRun, checkRun, type Account } from './account.js';
import { epsilonOfUses, type Use } from './compose.js';
import { demandParameter, PrivacyError } from './errors.js';
import { bisect } from './numeric/bisect.js';
import { PRIVACY_LIMITS } from './limits.js';

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
  /** sigma, in clips: what a job file says, so that its manifest stays within epsilon. */
  readonly noise: number;
  /** Epsilon as manifests and ledgers count it. */
  readonly counted: number;
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
  checkRun({ ...run, noise: 1 });
  const { noise, counted } = counting(budget, (sigma) => ({
    mechanism: { kind: 'sampled-gaussian', sampling: run.sampling, noise: sigma, steps: run.steps },
    times: 1,
  }));
  const stepNoise = noise / batch;
  return {
    sampling: run.sampling,
    steps: run.steps,
    noise,
    counted,
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
  /** Parameters of the model. */
  readonly parameters: number;
}

export interface SiloPlan {
  /** Noise in the sum of `contributors`, in clips: what a job file says, so that its manifest stays within epsilon. */
  readonly noise: number;
  /** Epsilon as manifests and ledgers count it, for Skellam noise. */
  readonly counted: number;
  readonly account: Account;
  /** What one silo adds to a coordinate: its standard deviation, in clips. */
  readonly siloNoise: number;
  /** Standard deviation on a coordinate of the mean update when all silos take part, in clips. */
  readonly meanNoise: number;
}

/** L2 norm of a clip in quantised units: a job's own is larger or a little smaller, and epsilon the same to four digits. */
const CLIP_UNITS = 4096;

/** Every silo takes part in every round: there is no sampling to make it cheaper. Throws as `planRecords`. */
export function planSilos(budget: Budget, { silos, contributors, parameters }: SiloTerms): SiloPlan {
  demandRounds(budget.rounds);
  demandParameter(
    Number.isInteger(contributors) && contributors >= 1,
    'the honest silos in a sum',
    'a whole number from 1',
    contributors,
  );
  const run = { sampling: 1, steps: budget.rounds, delta: budget.delta };
  checkRun({ ...run, noise: 1 });
  const { noise, counted } = counting(budget, (sigma) => ({
    mechanism: {
      kind: 'skellam',
      variance: (sigma * CLIP_UNITS) ** 2,
      l2: CLIP_UNITS,
      dimensions: parameters,
      contributors,
    },
    times: budget.rounds,
  }));
  const siloNoise = noise / Math.sqrt(contributors);
  return {
    noise,
    counted,
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

/** The smallest noise, to four digits, whose epsilon stays within the budget as manifests and ledgers count it. */
function counting(
  { epsilon, delta }: Budget,
  useOf: (noise: number) => Use,
): { readonly noise: number; readonly counted: number } {
  demandParameter(epsilon > 0 && epsilon < Infinity, 'epsilon', 'a finite number above 0', epsilon);
  const counted = (noise: number): number => epsilonOfUses([useOf(noise)], delta).epsilon;
  let high = 1;
  while (counted(high) > epsilon) {
    high *= 4;
    if (high > PRIVACY_LIMITS.noiseMax)
      throw new PrivacyError('privacy/out-of-reach', `no noise reaches epsilon ${String(epsilon)} at this delta.`);
  }
  const noise = roundUp(bisect(PRIVACY_LIMITS.noiseMin, high, (sigma) => counted(sigma) <= epsilon, 1e-6));
  return { noise, counted: counted(noise) };
}

function demandRounds(rounds: number): void {
  demandParameter(Number.isInteger(rounds) && rounds >= 1, 'the number of rounds', 'a whole number from 1', rounds);
}

/** To four digits, upwards: what is printed is what was accounted for. */
function roundUp(noise: number): number {
  const unit = 10 ** (Math.floor(Math.log10(noise)) - 3);
  return Number((Math.ceil(noise / unit) * unit).toPrecision(12));
}

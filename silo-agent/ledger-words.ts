// The ledger in plain words: what a data set has cost, what is left, and what a job would add.

import {
  accountOf,
  costOfJob,
  unitOf,
  type LedgerAccount,
  type Manifest,
  type SiloState,
  type Unit,
} from '../src/protocol/index.js';

/** At which epsilon is stated for a data set without a budget, which names its own. */
export const DEFAULT_DELTA = 1e-5;

/** What approving this job would cost, for `job show`. */
export function costLines(state: SiloState, manifest: Manifest, dataSet: string): string[] {
  const account = accountOf(state, dataSet, DEFAULT_DELTA);
  const { unit, rounds, epsilon, covered } = costOfJob(state, manifest, dataSet, DEFAULT_DELTA);
  const { budget, delta } = account;
  const at = `at delta ${String(delta)}`;
  const before = `Data set ${dataSet} so far: ${spentWords(account)}.`;
  if (epsilon === undefined)
    return [
      before,
      `${addsNothing(manifest, unit)}: ${roundsOf(rounds)} would be counted as uses, which no epsilon covers.`,
      ...(budget === undefined
        ? []
        : budget.withoutNoise
          ? [`The budget of epsilon ${String(budget.epsilon)} stays as it is: withoutNoise: allow.`]
          : [`The budget of the data set does not allow that: its rounds would be refused (plan/without-noise).`]),
    ];
  return [
    before,
    `What is not charged yet of this job (${roundsOf(rounds)}) would bring each ${WORDS[unit]} from epsilon ${short(epsilon.before)} to ${short(epsilon.after)} ${at}.`,
    ...(budget === undefined
      ? ['No budget is set for it (policy.privacy.dataSets), so nothing is refused.']
      : covered < rounds
        ? [
            `The budget is epsilon ${String(budget.epsilon)}: only ${roundsOf(covered)} fit, the others would be refused (plan/budget).`,
          ]
        : [`The budget is epsilon ${String(budget.epsilon)}: ${short(budget.epsilon - epsilon.after)} would be left.`]),
  ];
}

/** One data set, for `ledger show`. */
export function accountLines(dataSet: string, account: LedgerAccount): string[] {
  const { budget, left, entries, delta, reserved } = account;
  const lines = [
    `Data set ${dataSet}`,
    budget === undefined
      ? '  budget    none: nothing is refused'
      : `  budget    epsilon ${String(budget.epsilon)} at delta ${String(delta)} for each ${WORDS[account.unit]}; rounds without noise are ${budget.withoutNoise ? 'allowed' : 'refused'}`,
    `  spent     ${spentWords(account)}`,
  ];
  if (reserved > 0) lines.push(`  reserved  ${roundsOf(reserved)}, whose input has not left yet`);
  if (left !== undefined) lines.push(`  left      epsilon ${short(left)}`);
  if (entries.length === 0) return lines;
  const width = Math.max(3, ...entries.map(({ jobId }) => jobId.length));
  return [
    ...lines,
    `  ${'JOB'.padEnd(width)}  ROUNDS  LAST  PROTECTS  NOISE`,
    ...entries.map(
      ({ jobId, rounds, lastRound, mechanism, unit }) =>
        `  ${jobId.padEnd(width)}  ${String(rounds).padEnd(6)}  ${String(lastRound).padEnd(4)}  ${(unit === 'silo' ? 'hospital' : (unit ?? 'nobody')).padEnd(8)}  ${mechanism?.kind ?? 'none'}`,
    ),
  ];
}

/** As people say it. */
const WORDS: Readonly<Record<Unit, string>> = {
  silo: 'hospital with all its records',
  patient: 'patient',
  record: 'record',
};

function addsNothing(manifest: Manifest, unit: Unit): string {
  const of = unitOf(manifest);
  return of === undefined
    ? 'This job adds no noise'
    : `The noise of this job protects each ${WORDS[of]}, and the budget is for each ${WORDS[unit]}`;
}

function spentWords({ unit, spent, delta, roundsWithNoise, roundsWithoutNoise }: LedgerAccount): string {
  const noisy = `epsilon ${short(spent)} at delta ${String(delta)} for each ${WORDS[unit]} in ${roundsOf(roundsWithNoise)} with noise`;
  return roundsWithoutNoise === 0
    ? noisy
    : `${noisy}, and ${roundsOf(roundsWithoutNoise)} without noise for it, which no epsilon covers`;
}

function roundsOf(count: number): string {
  return `${String(count)} ${count === 1 ? 'round' : 'rounds'}`;
}

function short(epsilon: number): string {
  return epsilon === Infinity ? 'without bound' : epsilon === 0 ? '0' : epsilon.toPrecision(4);
}

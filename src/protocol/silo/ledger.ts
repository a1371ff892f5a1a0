// The silo's ledger: what each of its data sets has been used for, and what that costs. It is part of the folded state, so a charge is as
// durable as the event that lets the first masked byte leave, is made once for each round whatever its attempts, and is never taken back.

import { epsilonOfUses, type Mechanism, type Use } from '../../privacy/index.js';
import { mechanismFor, mechanismOf, unitOf, usesOf, type LedgerEntry, type Unit } from '../ledger.js';
import type { Manifest } from '../manifest.js';
import type { Plan } from '../plan.js';
import { demand } from '../rejection.js';
import type { JobState, SiloState } from './state.js';

export function ledgerOf(state: SiloState, dataSet: string): readonly LedgerEntry[] {
  return state.ledger.get(dataSet) ?? [];
}

/** Rounds charged to a data set so far. */
export function roundsCharged(state: SiloState, dataSet: string): number {
  return ledgerOf(state, dataSet).reduce((sum, { rounds }) => sum + rounds, 0);
}

/** What opened rounds of other jobs will cost once their inputs leave: reserved when their plans were accepted. */
export function reservedUses(state: SiloState, dataSet: string, unit: Unit): Use[] {
  return [...state.jobs.values()].flatMap(({ manifest, open, dataSet: of }) => {
    if (open === undefined || of !== dataSet || open.contribution.kind === 'failed') return [];
    if (open.contribution.kind === 'ready' && open.contribution.charged !== undefined) return [];
    const mechanism = roundMechanism(manifest, open.plan.round, unit);
    return mechanism === undefined ? [] : [{ mechanism, times: 1 }];
  });
}

/** What a round adds to what a unit has lost; undefined where its noise, if it has any, does not protect that unit. */
export function roundMechanism(manifest: Manifest, round: number, unit: Unit): Mechanism | undefined {
  const of = unitOf(manifest);
  const mechanism = mechanismOf(manifest, round);
  return of === undefined || mechanism === undefined ? undefined : mechanismFor(unit, of, mechanism);
}

/** Refuses a plan whose round the budget of its data set does not cover, `plan/budget` and `plan/without-noise`. */
export function demandBudget(state: SiloState, job: JobState, plan: Plan): void {
  const { budgets } = state.self.policy;
  if (budgets === undefined || budgets.size === 0) return;
  const { dataSet } = job;
  demand(
    dataSet !== '',
    'plan/budget',
    'the job was prepared by a version that did not note its data set, so no budget can be looked up.',
  );
  const budget = budgets.get(dataSet);
  if (budget === undefined) return;
  const unit = budget.unit ?? 'silo';
  const mechanism = roundMechanism(job.manifest, plan.round, unit);
  const of = mechanismOf(job.manifest, plan.round) === undefined ? undefined : unitOf(job.manifest);
  const adds =
    of === undefined
      ? 'the round adds no noise'
      : `the noise of the round protects each ${of}, and the budget is for each ${unit}`;
  demand(
    mechanism !== undefined || budget.withoutNoise,
    'plan/without-noise',
    `${adds}: the data set "${dataSet}" has a budget of epsilon ${String(budget.epsilon)}, and policy.privacy.dataSets.${dataSet}.withoutNoise does not allow it.`,
  );
  if (mechanism === undefined) return;
  const before = [...usesOf(ledgerOf(state, dataSet), unit), ...reservedUses(state, dataSet, unit)];
  const after = epsilonOfUses([...before, { mechanism, times: 1 }], budget.delta).epsilon;
  if (after <= budget.epsilon) return;
  const left = Math.max(0, budget.epsilon - epsilonOfUses(before, budget.delta).epsilon);
  demand(
    false,
    'plan/budget',
    `this round would bring the data set "${dataSet}" to epsilon ${inShort(after)} at delta ${String(budget.delta)}; its budget is ${String(budget.epsilon)}, and ${inShort(left)} of it is left.`,
    'limit',
  );
}

function inShort(epsilon: number): string {
  return epsilon === Infinity ? 'without bound' : epsilon.toPrecision(4);
}

/** The ledger with one round more. */
export function charged(state: SiloState, dataSet: string, manifest: Manifest, round: number): SiloState {
  const mechanism = mechanismOf(manifest, round);
  const { jobId } = manifest;
  const entries = ledgerOf(state, dataSet);
  // A closing round of a job adds no noise where the rounds before it did.
  const at = entries.findIndex(
    (one) => one.jobId === jobId && (one.mechanism === undefined) === (mechanism === undefined),
  );
  const before = entries[at];
  const unit = mechanism === undefined ? undefined : unitOf(manifest);
  const entry = { jobId, mechanism, unit, rounds: (before?.rounds ?? 0) + 1, lastRound: round };
  const changed = before === undefined ? [...entries, entry] : entries.map((one, k) => (k === at ? entry : one));
  return { ...state, ledger: new Map(state.ledger).set(dataSet, changed) };
}

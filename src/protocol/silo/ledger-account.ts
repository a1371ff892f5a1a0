// What a ledger says to people: spent, reserved, left, and what a job would add. Computed when it is asked for, from what was charged.

import { epsilonOfUses, type Use } from '../../privacy/index.js';
import { entryMechanism, unitOf, usesOf, type Budget, type LedgerEntry, type Unit } from '../ledger.js';
import { lastRound, type Manifest } from '../manifest.js';
import { ledgerOf, reservedUses, roundMechanism } from './ledger.js';
import type { SiloState } from './state.js';

export interface LedgerAccount {
  readonly budget: Budget | undefined;
  /** What epsilon protects: of the budget, or, without one, what all noise so far protects. */
  readonly unit: Unit;
  readonly delta: number;
  /** Of all charged rounds with noise, at delta. */
  readonly spent: number;
  readonly roundsWithNoise: number;
  /** Rounds without noise, and rounds whose noise does not protect this unit. */
  readonly roundsWithoutNoise: number;
  /** Rounds whose plan was accepted and whose input has not left yet. */
  readonly reserved: number;
  /** Epsilon of the budget that neither charges nor reservations use; undefined without a budget. */
  readonly left: number | undefined;
  readonly entries: readonly LedgerEntry[];
}

/** `delta`: at which epsilon is stated where no budget names one. */
export function accountOf(state: SiloState, dataSet: string, delta: number): LedgerAccount {
  const budget = state.self.policy.budgets?.get(dataSet);
  const entries = ledgerOf(state, dataSet);
  const unit = budget?.unit ?? unitOfAll(entries);
  const uses = usesOf(entries, unit);
  const reserved = reservedUses(state, dataSet, unit);
  const at = budget?.delta ?? delta;
  const count = (noisy: boolean): number =>
    entries.reduce((sum, one) => sum + ((entryMechanism(one, unit) !== undefined) === noisy ? one.rounds : 0), 0);
  return {
    budget,
    unit,
    delta: at,
    spent: epsilonOfUses(uses, at).epsilon,
    roundsWithNoise: count(true),
    roundsWithoutNoise: count(false),
    reserved: reserved.length,
    left: budget && Math.max(0, budget.epsilon - epsilonOfUses([...uses, ...reserved], at).epsilon),
    entries,
  };
}

/** The unit that all noise of a data set has in common; a silo where it differs, or where there is none. */
function unitOfAll(entries: readonly LedgerEntry[]): Unit {
  const units = new Set(entries.flatMap(({ unit }) => unit ?? []));
  const [only] = units;
  return only === undefined || units.size > 1 ? 'silo' : only;
}

export interface JobCost {
  /** What epsilon protects. */
  readonly unit: Unit;
  /** Rounds of the job that may still be charged. */
  readonly rounds: number;
  /** Epsilon of the data set before and after them; undefined when they add no noise. */
  readonly epsilon: { readonly before: number; readonly after: number } | undefined;
  /** How many of them the budget covers; all where there is none. */
  readonly covered: number;
}

/** What the rounds of a job that are not charged yet would cost its data set. */
export function costOfJob(state: SiloState, manifest: Manifest, dataSet: string, delta: number): JobCost {
  const budget = state.self.policy.budgets?.get(dataSet);
  const entries = ledgerOf(state, dataSet);
  const charged = entries.reduce((sum, one) => sum + (one.jobId === manifest.jobId ? one.rounds : 0), 0);
  const rounds = Math.max(0, lastRound(manifest) - charged);
  const unit = budget?.unit ?? unitOf(manifest) ?? 'silo';
  const mechanism = roundMechanism(manifest, 1, unit);
  if (mechanism === undefined)
    return { unit, rounds, epsilon: undefined, covered: budget === undefined || budget.withoutNoise ? rounds : 0 };
  const before: Use[] = usesOf(entries, unit);
  const with_ = (times: number): number =>
    epsilonOfUses([...before, { mechanism, times }], budget?.delta ?? delta).epsilon;
  const epsilon = { before: epsilonOfUses(before, budget?.delta ?? delta).epsilon, after: with_(rounds) };
  if (budget === undefined || epsilon.after <= budget.epsilon) return { unit, rounds, epsilon, covered: rounds };
  // Epsilon grows with the rounds: the last one that fits is found by halving.
  let fits = 0;
  let exceeds = rounds;
  while (exceeds - fits > 1) {
    const middle = Math.floor((fits + exceeds) / 2);
    if (with_(middle) <= budget.epsilon) fits = middle;
    else exceeds = middle;
  }
  return { unit, rounds, epsilon, covered: fits };
}

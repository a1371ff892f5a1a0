// What a statistics job sums beside records, values and squares: tables of counts, and products for correlations.

import { encode, StatisticsPlan as PlanMessage } from '../wire/index.js';
import { decodeCanonical } from './canonical.js';
import type { Contract } from './contract.js';
import type { FeatureColumn } from './contract-feature.js';
import { JOB_LIMITS } from './limits.js';
import { isWhole, Problems } from './problems.js';

export interface StatisticsPlan {
  /** `bins` of equal width over the declared range; 0 for a column of categories. */
  readonly histograms: readonly { readonly column: string; readonly bins: number }[];
  /** Features, two by two. */
  readonly correlations: readonly string[];
  /** Two columns of categories each. */
  readonly contingency: readonly { readonly rows: string; readonly columns: string }[];
  /** How many records have nothing in each feature. */
  readonly missingness: boolean;
  /** Kaplan-Meier curves from `bins` of equal width, one for each category of `by` unless it is empty. */
  readonly survival: { readonly bins: number; readonly by: string } | undefined;
}

export const NO_TABLES: StatisticsPlan = {
  histograms: [],
  correlations: [],
  contingency: [],
  missingness: false,
  survival: undefined,
};

/** Throws JobError `job/bad-recipe`. How a plan fits its contract is `planProblems`' business. */
export function parsePlan(bytes: Uint8Array): StatisticsPlan {
  return decodeCanonical(PlanMessage, 'statistics plan', bytes, 'job/bad-recipe');
}

/** The bytes that `parsePlan` reads back; none for a plan that asks for nothing. */
export function encodePlan({ histograms, correlations, contingency, missingness, survival }: StatisticsPlan) {
  return encode(PlanMessage, {
    histograms: [...histograms],
    correlations: [...correlations],
    contingency: [...contingency],
    missingness,
    survival,
  });
}

/** Everything in a plan that does not fit the contract. */
export function planProblems(plan: StatisticsPlan, contract: Contract): Problems['list'] {
  const problems = new Problems();
  const { histogramBinsMin, histogramBinsMax } = JOB_LIMITS;
  const bins = `${String(histogramBinsMin)} to ${String(histogramBinsMax)} bins`;
  const feature = (column: string): FeatureColumn | undefined => contract.features.find((one) => one.column === column);
  const demandCategories = (column: string, path: string): void => {
    problems.require(feature(column)?.categories !== undefined, path, 'a feature with categories');
  };
  const once = (keys: readonly string[], path: string): void => {
    problems.require(new Set(keys).size === keys.length, path, 'each only once');
  };
  plan.histograms.forEach((one, i) => {
    const path = `statistics.histograms[${String(i)}]`;
    const found = feature(one.column);
    if (found === undefined) problems.add(`${path}.column`, 'one of the features');
    else if (found.categories !== undefined)
      problems.require(one.bins === 0, `${path}.bins`, 'nothing: categories are counted one by one');
    else problems.require(isWhole(one.bins, histogramBinsMin, histogramBinsMax), `${path}.bins`, bins);
  });
  once(
    plan.histograms.map(({ column }) => column),
    'statistics.histograms',
  );
  problems.require(
    plan.correlations.every((column) => feature(column) !== undefined) && plan.correlations.length !== 1,
    'statistics.correlations',
    'two features or more',
  );
  once(plan.correlations, 'statistics.correlations');
  plan.contingency.forEach(({ rows, columns }, i) => {
    demandCategories(rows, `statistics.contingency[${String(i)}].rows`);
    demandCategories(columns, `statistics.contingency[${String(i)}].columns`);
    problems.require(rows !== columns, `statistics.contingency[${String(i)}]`, 'two different columns');
  });
  once(
    plan.contingency.map((one) => JSON.stringify(one)),
    'statistics.contingency',
  );
  const { survival } = plan;
  problems.require(
    (survival !== undefined) === (contract.target !== undefined) &&
      (contract.target === undefined || contract.target.kind === 'survival'),
    'data_contract.target',
    'a target of kind survival together with statistics.survival, otherwise nothing: a statistics job reads features only',
  );
  if (survival !== undefined) {
    problems.require(isWhole(survival.bins, histogramBinsMin, histogramBinsMax), 'statistics.survival.bins', bins);
    if (survival.by !== '') demandCategories(survival.by, 'statistics.survival.by');
  }
  return problems.list;
}

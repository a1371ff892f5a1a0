// The parts of a manifest that say what is computed, parsed together: each for itself, then against the kind of job and each other.

import { compareBytes, utf8 } from '../base/index.js';
import { JobKind, type JobManifest } from '../wire/index.js';
import { parseContract, type Contract } from './contract.js';
import { JobError } from './errors.js';
import { Problems } from './problems.js';
import { parseRecipe, type Recipe } from './recipe.js';
import { sliceProblems } from './slices.js';
import { NO_TABLES, parsePlan, planProblems, type StatisticsPlan } from './statistics-plan.js';
import { TARGET_OF } from './recipe-loss.js';
import { parseUpdateRule, type UpdateSetting } from './update-rule.js';

export type JobKindName = 'train' | 'evaluate' | 'statistics';

/** What a silo computes for a job. */
export type Job =
  | { readonly kind: 'train'; readonly recipe: Recipe; readonly update: UpdateSetting; readonly contract: Contract }
  | { readonly kind: 'evaluate'; readonly recipe: Recipe; readonly contract: Contract }
  | { readonly kind: 'statistics'; readonly contract: Contract; readonly plan: StatisticsPlan };

const KIND_NAMES: ReadonlyMap<JobKind, JobKindName> = new Map([
  [JobKind.JOB_KIND_TRAIN, 'train'],
  [JobKind.JOB_KIND_EVALUATE, 'evaluate'],
  [JobKind.JOB_KIND_STATISTICS, 'statistics'],
]);

/** Throws JobError `job/bad-manifest` with every bad field of recipe, update rule and contract, and of how they fit together. */
export function parseJob(manifest: JobManifest): Job {
  const problems = new Problems();
  const kind = KIND_NAMES.get(manifest.kind);
  problems.require(kind !== undefined, 'kind', 'train, evaluate or statistics');
  const contract = part('data_contract', manifest.dataContract, parseContract, problems);
  const learns = kind !== 'statistics';
  const recipe = learns ? part('recipe', manifest.recipe, parseRecipe, problems) : undefined;
  const plan = learns ? undefined : part('recipe', manifest.recipe, parsePlan, problems);
  const update = kind === 'train' ? part('update_rule', manifest.updateRule, parseUpdateRule, problems) : undefined;
  if (kind !== 'train') requireAbsent('update_rule', manifest.updateRule, problems);
  problems.require(
    (manifest.forwardModel !== undefined) === learns,
    'forward_model',
    learns ? 'a model' : 'nothing: a statistics job has no model',
  );
  if (kind !== undefined && kind !== 'train')
    problems.require(manifest.roundLimit === 1, 'round_limit', `1: a job of kind ${kind} has one round`);
  problems.require(
    manifest.local.length === 0 || kind === 'train',
    'local',
    'nothing: only a training job has parameters that silos keep to themselves',
  );
  problems.addAll('', fit(kind, recipe, contract, plan));
  const sorted = manifest.silos.every(
    (silo, i) => i === 0 || compareBytes(utf8(manifest.silos[i - 1] ?? ''), utf8(silo)) < 0,
  );
  problems.require(sorted, 'silos', 'ids in ascending bytewise order, each once');
  problems.throwIfAny('job/bad-manifest', 'the manifest');
  // Whatever is undefined where its kind needs it has been recorded as a problem, and the line above has thrown.
  return (learns ? { kind, recipe, update, contract } : { kind, contract, plan }) as Job;
}

/** Problems between parts that are each good: the loss needs its kind of target, and an evaluation something to evaluate on. */
export function fit(
  kind: JobKindName | undefined,
  recipe: Recipe | undefined,
  contract: Contract | undefined,
  plan?: StatisticsPlan,
): Problems['list'] {
  const problems = new Problems();
  if (kind === 'statistics' && contract !== undefined) return planProblems(plan ?? NO_TABLES, contract);
  if (recipe === undefined || contract === undefined) return problems.list;
  const { loss } = recipe;
  const wanted = TARGET_OF[loss.kind];
  problems.require(
    contract.target?.kind === wanted,
    'data_contract.target',
    `a target of kind ${wanted}, which the loss ${loss.kind} needs`,
  );
  if (loss.kind === 'softmax-cross-entropy' && contract.target?.kind === 'classes')
    problems.require(
      loss.classWeights.length === 0 || loss.classWeights.length === contract.target.classes,
      'recipe.class_weights',
      `${String(contract.target.classes)} numbers, one for each class, or none`,
    );
  problems.require(
    kind === 'train' || recipe.earlyStopping === undefined,
    'recipe.early_stopping',
    'nothing: only a training job has rounds to end before',
  );
  problems.addAll('recipe.', sliceProblems(recipe.slices, contract));
  if (kind === 'evaluate')
    problems.require(
      recipe.holdoutFraction > 0,
      'recipe.holdout_fraction',
      'above 0: an evaluation reads the hold-out part',
    );
  return problems.list;
}

function part<T>(name: string, bytes: Uint8Array, parse: (bytes: Uint8Array) => T, problems: Problems): T | undefined {
  try {
    return parse(bytes);
  } catch (cause) {
    if (!(cause instanceof JobError)) throw cause;
    if (cause.problems.length === 0) problems.add(name, cause.message);
    else problems.addAll(`${name}.`, cause.problems);
    return undefined;
  }
}

function requireAbsent(name: string, bytes: Uint8Array, problems: Problems): void {
  problems.require(bytes.length === 0, name, 'nothing in a job of this kind');
}

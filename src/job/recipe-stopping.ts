// The rule by which a job ends before its last round, as the recipe says it.

import type { LossSettings } from '../model/index.js';
import type { EarlyStopping as Message } from '../wire/index.js';
import { JOB_LIMITS } from './limits.js';
import { isWhole, type Problems } from './problems.js';
import { TARGET_OF } from './recipe-loss.js';

export interface EarlyStopping {
  /** Name of a metric of the opened sum. */
  readonly metric: string;
  /** Applied rounds in a row without an improvement, after which the job is over. */
  readonly patience: number;
  /** A value is better when it is by more than this; in the metric's own unit. */
  readonly minimumImprovement: number;
}

type Kind = (typeof TARGET_OF)[keyof typeof TARGET_OF];

/** Which way each is better, and for which targets there is one. */
export const EARLY_STOPPING_METRICS: ReadonlyMap<
  string,
  { readonly better: 'higher' | 'lower'; readonly targets: readonly Kind[] }
> = new Map([
  ['loss', { better: 'lower', targets: ['binary', 'classes', 'real', 'survival'] }],
  ['accuracy', { better: 'higher', targets: ['binary', 'classes'] }],
  ['auc', { better: 'higher', targets: ['binary'] }],
  ['average-precision', { better: 'higher', targets: ['binary'] }],
  ['brier', { better: 'lower', targets: ['binary'] }],
  ['mae', { better: 'lower', targets: ['real'] }],
  ['rmse', { better: 'lower', targets: ['real'] }],
  ['r2', { better: 'higher', targets: ['real'] }],
  ['c-index', { better: 'higher', targets: ['survival'] }],
]);

export function readStoppingRule(message: Message | undefined): EarlyStopping | undefined {
  return message && { ...message };
}

export function checkStoppingRule(
  rule: EarlyStopping | undefined,
  { loss, holdoutFraction }: { readonly loss: LossSettings; readonly holdoutFraction: number },
  problems: Problems,
): void {
  if (rule === undefined) return;
  const { metric, patience, minimumImprovement } = rule;
  const target = TARGET_OF[loss.kind];
  const known = [...EARLY_STOPPING_METRICS].filter(([, { targets }]) => targets.includes(target));
  problems.require(
    known.some(([name]) => name === metric),
    'early_stopping.metric',
    `with the loss ${loss.kind} one of ${known.map(([name]) => name).join(', ')}`,
  );
  const { patienceMax } = JOB_LIMITS;
  problems.require(isWhole(patience, 1, patienceMax), 'early_stopping.patience', `1 to ${String(patienceMax)} rounds`);
  problems.require(
    minimumImprovement >= 0 && minimumImprovement < Infinity,
    'early_stopping.minimum_improvement',
    'a finite number from 0',
  );
  problems.require(holdoutFraction > 0, 'early_stopping', 'nothing without a hold-out part, from which metrics come');
}

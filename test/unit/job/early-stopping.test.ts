// The rule by which a job ends before its last round: what it remembers, when it fires, and which rules are refused.

import { describe, expect, it } from 'vitest';
import { encodeRecipe, parseJob, parseRecipe, type Recipe } from '../../../src/job/index.js';
import {
  advanceStopping,
  readStopping,
  STOPPING_BYTES,
  writeStopping,
  type StoppingMemory,
} from '../../../src/job/early-stopping.js';
import { JobKind } from '../../../src/wire/index.js';
import { recipe, trainingManifest } from '../../support/jobs.js';

type Rule = NonNullable<Recipe['earlyStopping']>;
const LOSS: Rule = { metric: 'loss', patience: 2, minimumImprovement: 0.1 };

/** After which of these values the job is over, from 1; undefined for none. Each step goes through the bytes of the state. */
function endOf(rule: Rule, values: readonly (number | undefined)[]): number | undefined {
  let bytes: Uint8Array = new Uint8Array();
  for (const [at, value] of values.entries()) {
    const metrics = value === undefined ? [] : [{ name: rule.metric, value }];
    const next = advanceStopping(rule, readStopping(rule, bytes), metrics);
    if (next.endsJob) return at + 1;
    bytes = writeStopping(next.memory);
    expect(bytes).toHaveLength(STOPPING_BYTES);
  }
  return undefined;
}

describe('a rule for early stopping', () => {
  it.each<[string, Rule, (number | undefined)[], number | undefined]>([
    ['counts rounds in a row that are not better', LOSS, [1, 0.5, 0.6, 0.7], 4],
    ['counts anew from a better one', LOSS, [1, 1, 0.5, 0.5, 0.5], 5],
    ['takes less than the minimum for no improvement', LOSS, [1, 0.95, 0.91], 3],
    ['compares with the best and not with the last one', LOSS, [1, 2, 1.5], 3],
    ['passes over rounds that do not tell the metric', LOSS, [1, undefined, 1, undefined, 1], 5],
    ['does not fire while it gets better', LOSS, [1, 0.8, 0.6, 0.4], undefined],
    ['knows that a higher AUC is better', { ...LOSS, metric: 'auc' }, [0.5, 0.7, 0.65, 0.75], 4],
    ['wants a strict improvement by default', { ...LOSS, minimumImprovement: 0 }, [1, 1, 1], 3],
  ])('%s', (_what, rule, values, end) => {
    expect(endOf(rule, values)).toBe(end);
  });

  it('keeps its memory through bytes, exactly', () => {
    for (const memory of [
      { best: 0.1 + 0.2, since: 3 },
      { best: -Infinity, since: 0 },
    ] satisfies StoppingMemory[])
      expect(readStopping(LOSS, writeStopping(memory))).toEqual(memory);
  });

  it('comes back from a recipe as it was written', () => {
    const own: Recipe = { ...recipe, earlyStopping: { metric: 'auc', patience: 5, minimumImprovement: 0.001 } };
    expect(parseRecipe(encodeRecipe(own))).toEqual(own);
  });

  it.each<[string, Partial<Rule>, Partial<Recipe>, string]>([
    ['a metric that nobody knows', { metric: 'beauty' }, {}, 'early_stopping.metric'],
    ['a metric of another kind of target', { metric: 'mae' }, {}, 'early_stopping.metric'],
    ['no patience', { patience: 0 }, {}, 'early_stopping.patience'],
    ['an improvement below 0', { minimumImprovement: -1 }, {}, 'early_stopping.minimum_improvement'],
    ['an improvement that is no number', { minimumImprovement: NaN }, {}, 'early_stopping.minimum_improvement'],
    ['a job without a hold-out part', {}, { holdoutFraction: 0 }, 'early_stopping: nothing'],
  ])('refuses %s', (_what, rule, change, where) => {
    expect(() => encodeRecipe({ ...recipe, ...change, earlyStopping: { ...LOSS, ...rule } })).toThrow(where);
  });

  it('is refused in a job that trains nothing', () => {
    const own = encodeRecipe({ ...recipe, earlyStopping: LOSS });
    const changes = { kind: JobKind.JOB_KIND_EVALUATE, updateRule: new Uint8Array(), roundLimit: 1, recipe: own };
    expect(() => parseJob(trainingManifest(changes))).toThrow(/early_stopping: nothing/);
  });
});

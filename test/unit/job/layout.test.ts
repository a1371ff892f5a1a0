// The layout of each kind of job, and the silo's comparison with a manifest's.

import { describe, expect, it } from 'vitest';
import {
  checkLayout,
  deriveLayout,
  encodeContract,
  encodeRecipe,
  JobError,
  lossBound,
  parseJob,
  roundingError,
  unitBudget,
} from '../../../src/job/index.js';
import { JobKind, Visibility, type Segment, type SumLayout } from '../../../src/wire/index.js';
import {
  contract,
  recipe,
  room,
  statisticsContract,
  statisticsManifest,
  trainingManifest,
  trainingTerms,
} from '../../support/jobs.js';

const VECTOR = { parameterCount: 7, statisticCount: 0 };

const namesOf = ({ segments }: SumLayout): string[] => segments.map(({ name, length }) => `${name}:${length}`);

function segment(layout: SumLayout, name: string): Segment {
  const found = layout.segments.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no segment ${name}`);
  return found;
}

describe('the layout of a job', () => {
  it('of binary training holds the change, the weight and all metrics in order', () => {
    expect(namesOf(deriveLayout(trainingTerms, room))).toEqual([
      'delta:7',
      'weight:1',
      'norm:1',
      'holdout.rows:1',
      'holdout.loss:1',
      'holdout.correct:1',
      'holdout.positive:10',
      'holdout.negative:10',
      'saturated:1',
    ]);
  });

  it('of class training has no score histograms', () => {
    const classes = { ...contract, target: { kind: 'classes', column: 'stage', classes: 3 } } as const;
    const layout = deriveLayout(
      {
        kind: 'evaluate',
        recipe: { ...recipe, loss: { kind: 'softmax-cross-entropy', classWeights: [] } },
        contract: classes,
      },
      room,
    );
    expect(namesOf(layout)).toEqual(['holdout.rows:1', 'holdout.loss:1', 'holdout.correct:1', 'saturated:1']);
  });

  it('of regression has errors and moments of the target, all bounded by its declared range', () => {
    const real = { ...contract, target: { kind: 'real', column: 'days', minimum: 10, maximum: 30 } } as const;
    expect(lossBound({ kind: 'squared-error' }, real)).toBe(400);
    expect(lossBound({ kind: 'huber', delta: 100 }, real)).toBe(200);
    expect(lossBound({ kind: 'huber', delta: 1 }, real)).toBe(19.5);
    const terms = { kind: 'evaluate', recipe: { ...recipe, loss: { kind: 'squared-error' } }, contract: real } as const;
    expect(namesOf(deriveLayout(terms, room))).toEqual([
      'holdout.rows:1',
      'holdout.loss:1',
      'holdout.absolute-error:1',
      'holdout.squared-error:1',
      'holdout.target:1',
      'holdout.target-squares:1',
      'saturated:1',
    ]);
  });

  it('of survival times has two tables of time by score', () => {
    const target = { kind: 'survival', column: 'days', eventColumn: 'died', maximum: 365 } as const;
    const cox = { ...recipe, loss: { kind: 'cox' }, histogramBins: 16 } as const;
    const layout = deriveLayout({ kind: 'evaluate', recipe: cox, contract: { ...contract, target } }, room);
    expect(namesOf(layout)).toEqual([
      'holdout.rows:1',
      'holdout.loss:1',
      'holdout.events:256',
      'holdout.censored:256',
      'saturated:1',
    ]);
  });

  it('repeats its metrics for each category of each slice', () => {
    const sex = { column: 'sex', minimum: 0, maximum: 2, unit: '', categories: ['f', 'm', 'other'] };
    const terms = {
      kind: 'evaluate',
      recipe: { ...recipe, slices: ['sex'] },
      contract: { ...contract, features: [...contract.features, sex] },
    } as const;
    expect(namesOf(deriveLayout(terms, room))).toEqual([
      'holdout.rows:1',
      'holdout.loss:1',
      'holdout.correct:1',
      'holdout.positive:10',
      'holdout.negative:10',
      'slice.sex.rows:3',
      'slice.sex.loss:3',
      'slice.sex.correct:3',
      'slice.sex.positive:30',
      'slice.sex.negative:30',
      'slice.sex.left-out:3',
      'saturated:1',
    ]);
  });

  it('of statistics holds rows and two sums per feature', () => {
    const layout = deriveLayout({ kind: 'statistics', contract: statisticsContract }, room);
    expect(namesOf(layout)).toEqual(['rows:1', 'sum:2', 'sum-of-squares:2', 'saturated:1']);
  });

  it('quantises a coarse weight in 64 exact steps from 0 to 1', () => {
    const weight = segment(deriveLayout(trainingTerms, room), 'weight');
    if (weight.quantiser?.$case !== 'real') throw new Error('not real');
    const { scale, qMax } = weight.quantiser.value;
    expect(BigInt(scale)).toBe(qMax);
    expect(weight.coarseStep * 64n).toBe(qMax);
  });

  it('keeps a value at its clip within qMax even where float32 rounds it up', () => {
    const delta = segment(deriveLayout(trainingTerms, room), 'delta');
    if (delta.quantiser?.$case !== 'real') throw new Error('not real');
    const { clip, scale, qMax } = delta.quantiser.value;
    expect(clip * (1 + 2 ** -22) * scale).toBeLessThanOrEqual(Number(qMax));
    expect(clip * scale).toBeGreaterThan(Number(qMax) * (1 - 2 ** -19));
    expect(roundingError(delta, 5)).toBe(5 / scale);
  });

  it('refuses counts that n silos could not add up within the modulus', () => {
    const many = { ...contract, maxRows: 10_000 };
    expect(() => deriveLayout({ ...trainingTerms, contract: many }, { silos: 5, modulusBits: 16 })).toThrow(
      /10000 per silo.*leave room for 6553/,
    );
  });

  it.each([
    { silos: 2, modulusBits: 32 },
    { silos: 201, modulusBits: 32 },
    { silos: 5, modulusBits: 15 },
    { silos: 5, modulusBits: 33 },
  ])('refuses $silos silos with $modulusBits bits', (bad) => {
    expect(() => deriveLayout(trainingTerms, bad)).toThrow(JobError);
  });

  it('refuses a clip of 0 and a model without parameters', () => {
    expect(() => deriveLayout({ ...trainingTerms, clip: 0 } as typeof trainingTerms, room)).toThrow(/clip/);
    expect(() => deriveLayout({ ...trainingTerms, parameterCount: 0 } as typeof trainingTerms, room)).toThrow(
      /parameter/,
    );
  });

  it('leaves exactly the room that the modulus gives', () => {
    expect(unitBudget({ silos: 3, modulusBits: 16 })).toBe(10_922);
    expect(3 * 10_922).toBeLessThan(2 ** 15);
    expect(3 * 10_923).toBeGreaterThanOrEqual(2 ** 15);
  });
});

describe('checking the layout of a manifest', () => {
  it('finds nothing wrong with the one that the job needs', () => {
    expect(checkLayout(trainingManifest(), VECTOR)).toEqual([]);
    expect(checkLayout(statisticsManifest(), undefined)).toEqual([]);
  });

  it('lets a manifest choose a public weight', () => {
    const layout = deriveLayout({ ...trainingTerms, weightVisibility: 'public' } as typeof trainingTerms, room);
    expect(checkLayout(trainingManifest({ layout }), VECTOR)).toEqual([]);
  });

  const changed = (change: (layout: SumLayout) => void): SumLayout => {
    const layout = deriveLayout(trainingTerms, room);
    change(layout);
    return layout;
  };

  it.each<[string, SumLayout, string]>([
    ['a delta longer than the model', changed((l) => (l.segments[0]!.length = 8n)), 'delta: length should be 7, is 8'],
    ['a missing segment', changed((l) => l.segments.splice(5, 1)), 'holdout.correct: expected at position 5'],
    [
      'a segment of its own that carries something else out',
      changed((l) => l.segments.push({ ...l.segments[1]!, name: 'extra' })),
      'extra: is not part of this job',
    ],
    [
      'an unmarked weight',
      changed((l) => (l.segments[1]!.visibility = Visibility.VISIBILITY_UNSPECIFIED)),
      'weight: visibility should be 2, is 0',
    ],
    [
      'a scale that overflows',
      changed((l) => {
        const { quantiser } = l.segments[0]!;
        if (quantiser?.$case === 'real') quantiser.value.qMax = 2n ** 31n;
      }),
      'delta: qMax should be 429496729, is 2147483648',
    ],
    [
      'no clip',
      changed((l) => (l.segments[0]!.quantiser = undefined)),
      'delta: expected real numbers with a finite clip above 0',
    ],
    [
      'counts where sums should be',
      changed((l) => (l.segments[4]!.quantiser = { $case: 'integer', value: { max: 5n } })),
      'holdout.loss: quantiser should be real, is integer',
    ],
  ])('reports %s', (_what, layout, expected) => {
    const found = checkLayout(trainingManifest({ layout }), VECTOR);
    expect(found.map(({ segment: name, difference }) => `${name}: ${difference}`)).toContain(expected);
  });

  it('accepts a closing round of metrics and reports one that sums anything else', () => {
    const closingLayout = deriveLayout({ kind: 'evaluate', recipe, contract }, room);
    expect(checkLayout(trainingManifest({ closingLayout }), VECTOR)).toEqual([]);
    const stray = checkLayout(trainingManifest({ closingLayout: deriveLayout(trainingTerms, room) }), VECTOR);
    expect(stray.map(({ segment: name }) => name)).toContain('closing/holdout.rows');
    expect(checkLayout(statisticsManifest({ closingLayout }), undefined)).toEqual([
      { segment: 'closing', difference: 'this job has no closing round' },
    ]);
  });

  it('reports a manifest without a layout', () => {
    expect(checkLayout(trainingManifest({ layout: undefined }), VECTOR)).toHaveLength(1);
  });
});

describe('the parts of a manifest together', () => {
  const pathsOf = (changes: Parameters<typeof trainingManifest>[0]): string[] => {
    try {
      parseJob(trainingManifest(changes));
    } catch (error) {
      if (error instanceof JobError) return error.problems.map(({ path }) => path);
      throw error;
    }
    return [];
  };

  it('give the job of each kind', () => {
    expect(parseJob(trainingManifest())).toMatchObject({ kind: 'train', recipe, contract });
    expect(parseJob(statisticsManifest())).toMatchObject({ kind: 'statistics', contract: statisticsContract });
  });

  it.each<[string, Parameters<typeof trainingManifest>[0], string]>([
    ['a kind that this version does not know', { kind: JobKind.UNRECOGNIZED }, 'kind'],
    ['a training job without a model', { forwardModel: undefined }, 'forward_model'],
    ['a training job without an update rule', { updateRule: new Uint8Array() }, 'update_rule.kind'],
    ['silos out of order', { silos: ['b', 'a', 'c'] }, 'silos'],
    ['a silo named twice', { silos: ['a', 'a', 'c'] }, 'silos'],
    ['a loss without its kind of target', { dataContract: encodeContract(statisticsContract) }, 'data_contract.target'],
    ['a bad field deep inside', { recipe: new Uint8Array() }, 'recipe.batch_size'],
  ])('refuse %s', (_what, changes, path) => {
    expect(pathsOf(changes)).toContain(path);
  });

  it('refuse a statistics job that carries a recipe, a model, a target or a second round', () => {
    const stray = trainingManifest({ kind: JobKind.JOB_KIND_STATISTICS });
    try {
      parseJob(stray);
      expect.unreachable();
    } catch (error) {
      expect((error as JobError).problems.map(({ path }) => path)).toEqual([
        'recipe',
        'update_rule',
        'forward_model',
        'round_limit',
        'data_contract.target',
      ]);
    }
  });

  it('refuse an evaluation without a hold-out part', () => {
    expect(
      pathsOf({
        kind: JobKind.JOB_KIND_EVALUATE,
        roundLimit: 1,
        updateRule: new Uint8Array(),
        recipe: encodeRecipe({ ...recipe, holdoutFraction: 0 }),
      }),
    ).toEqual(['recipe.holdout_fraction']);
  });
});

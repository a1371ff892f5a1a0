// Noise under the mask: from a job file to a sum that carries it, what a silo checks, and that a vector without it cannot be masked.

import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../src/base/index.js';
import { Keystream, sha256 } from '../../../src/crypto/index.js';
import {
  buildManifest,
  checkLayout,
  checkPrivacy,
  contributorsOf,
  epsilonOfSum,
  explainManifest,
  maskable,
  noisyQuantiser,
  trainingSegments,
  type ManifestFacts,
  type NoiseTerms,
  type TrainingJobFile,
} from '../../../src/job/index.js';
import { gaussianEpsilon } from '../../../src/privacy/index.js';
import { readLayout, siloVariance, thresholdFor, type SumNoise } from '../../../src/protocol/index.js';
import { quantise, segmentNamed, type Layout } from '../../../src/vector/index.js';
import { NoiseMechanism, Visibility, type JobManifest } from '../../../src/wire/index.js';
import { jobProblemOf, contract, recipe } from '../../support/jobs.js';

const { target: _target, ...data } = contract;
const SILOS = ['a', 'b', 'c', 'd', 'e'];
const PARAMETERS = 2000;
const noise: NoiseTerms = { mechanism: 'skellam', noise: 1.5, delta: 1e-5 };

const file: TrainingJobFile = {
  kind: 'train',
  job: 'heart-1',
  description: 'Predicts heart disease.',
  silos: SILOS,
  data: { ...data, target: { kind: 'binary', column: 'sick' } },
  model: { file: 'heart.onnx' },
  training: {
    loss: recipe.loss,
    optimiser: recipe.optimiser,
    batchSize: 16,
    localWork: recipe.localWork,
    clip: 2,
    weightRows: 1,
    privacy: noise,
  },
  evaluation: { holdoutFraction: 0 },
  rounds: 10,
};
const facts: ManifestFacts = {
  rosterHash: new Uint8Array(32).fill(1),
  initialModelHash: new Uint8Array(32).fill(2),
  model: { blob: { sha256: new Uint8Array(32).fill(3), size: 10n }, parameterCount: PARAMETERS },
};
const manifest = buildManifest(file, facts);
const sumNoise: SumNoise = {
  mechanism: 'skellam',
  variance: manifest.noise!.variance,
  tail: Number(manifest.noise!.tail),
  rotated: manifest.noise!.rotated,
  recordSensitivity: undefined,
};
const layout: Layout = readLayout(manifest.layout, sumNoise);
const holdout = {
  count: 0,
  lossSum: 0,
  correct: 0,
  positives: new Float64Array(100),
  negatives: new Float64Array(100),
};

function bytes(name: string): (length: number) => Uint8Array {
  const stream = new Keystream(sha256(utf8(name)));
  return (length) => stream.next(length);
}

function quantised(change: number): { values: Int32Array; saturated: number } {
  const delta = new Float32Array(PARAMETERS).fill(change);
  const terms = { recipe: { ...recipe, histogramBins: 100, weightRows: 1 }, contract, layout };
  return quantise(layout, trainingSegments({ delta, rows: 50, holdout }, terms), (count) =>
    new Uint32Array(count).fill(2 ** 31),
  );
}

describe('a job with noise', () => {
  it('states what all its rounds cost, more than the Gaussian mechanism and hardly so', () => {
    const { epsilon, delta } = manifest.privacy!;
    expect(delta).toBe(1e-5);
    const exact = gaussianEpsilon(1.5 / Math.sqrt(10), delta);
    expect(epsilon).toBeGreaterThan(exact);
    expect(epsilon).toBeLessThan(exact * 1.15);
    expect(manifest.closingLayout).toBeUndefined();
    expect(checkLayout(manifest, { parameterCount: PARAMETERS, statisticCount: 0 })).toEqual([]);
    checkPrivacy(manifest);
  });

  it('tells those who approve it', () => {
    const context = { manifestHash: new Uint8Array(32), policy: { minCohort: 5, minHonest: 2, maxMalicious: 1 } };
    const text = explainManifest(manifest, context)
      .flatMap(({ lines }) => lines)
      .join('\n');
    expect(text).toContain(`All 10 rounds together cost epsilon ${manifest.privacy!.epsilon.toPrecision(4)}`);
    expect(text).toContain('what 3 other honest hospitals surely add is enough');
  });

  it.each<[string, Partial<JobManifest>, string]>([
    ['a smaller epsilon than its noise gives', { privacy: { epsilon: 1, delta: 1e-5 } }, 'privacy.epsilon'],
    ['a smaller delta', { privacy: { ...manifest.privacy!, delta: 1e-7 } }, 'privacy.epsilon'],
    ['more rounds', { roundLimit: 11 }, 'privacy.epsilon'],
    ['less noise', { noise: { ...manifest.noise!, variance: manifest.noise!.variance * 0.98 } }, 'privacy.epsilon'],
  ])('is refused by a silo when it promises with %s', (_what, changes, path) => {
    expect(
      jobProblemOf(() => {
        checkPrivacy({ ...manifest, ...changes });
      }),
    ).toContain(path);
  });

  it('is refused when something else in the sum depends on records', () => {
    const withHoldout = { ...file, evaluation: { holdoutFraction: 0.2 } };
    expect(jobProblemOf(() => buildManifest(withHoldout, facts))).toContain('evaluation.holdoutFraction');
    const weighted = { ...file, training: { ...file.training, weightRows: 200 } };
    expect(jobProblemOf(() => buildManifest(weighted, facts))).toContain('training.weightRows');
    const nova = { ...file, training: { ...file.training, method: { kind: 'fed-nova' } as const } };
    expect(jobProblemOf(() => buildManifest(nova, facts))).toContain('training.method');
    const public_ = structuredClone(manifest);
    public_.layout!.segments[0]!.visibility = Visibility.VISIBILITY_PUBLIC;
    expect(
      jobProblemOf(() => {
        checkPrivacy(public_);
      }),
    ).toContain('layout.delta');
  });

  it('is refused where the modulus leaves no room', () => {
    const terms = { dimensions: 1_000_000, contributors: 3, room: { silos: 5, modulusBits: 16 } };
    expect(jobProblemOf(() => noisyQuantiser(noise, terms))).toContain('raise modulus_bits');
  });

  it('may use the discrete Gaussian', () => {
    const other = buildManifest(
      { ...file, training: { ...file.training, privacy: { ...noise, mechanism: 'discrete-gaussian' } } },
      facts,
    );
    expect(other.noise?.mechanism).toBe(NoiseMechanism.NOISE_MECHANISM_DISCRETE_GAUSSIAN);
    expect(other.privacy!.epsilon).toBeLessThanOrEqual(manifest.privacy!.epsilon);
    checkPrivacy(other);
  });
});

describe('the share of one silo', () => {
  it('is mu / (t − max(c, 1)), so that t honest and colluding survivors still hold mu', () => {
    for (const [n, c] of [
      [5, 0],
      [5, 1],
      [10, 3],
      [200, 66],
    ] as const) {
      const share = siloVariance(sumNoise, n, c);
      expect(share * (thresholdFor(n) - Math.max(c, 1))).toBeCloseTo(sumNoise.variance, -3);
      expect(share).toBeGreaterThan(sumNoise.variance / n);
    }
    expect(contributorsOf(manifest)).toBe(3);
  });

  it('leaves at least mu in the sum of the others, whoever reads it', () => {
    const share = { ...sumNoise, variance: siloVariance(sumNoise, 5, 1) };
    // t = 4 survivors: without the reader's own part three shares are left.
    const sum = new Float64Array(PARAMETERS);
    const scale = 1;
    for (const silo of ['a', 'b', 'c']) {
      const vector = maskable(layout, quantised(0), { ...share, bytes: bytes(silo) });
      vector.subarray(0, PARAMETERS).forEach((value, i) => (sum[i] = sum[i]! + value / scale));
    }
    const variance = sum.reduce((total, value) => total + value * value, 0) / PARAMETERS;
    // Five standard errors of a variance over 2000 coordinates.
    expect(Math.abs(variance / sumNoise.variance - 1)).toBeLessThan(5 * Math.sqrt(2 / PARAMETERS));
  });

  it('keeps the weight, and erases the count of what was cut and whatever else has no noise', () => {
    const plain = quantised(1e9);
    const cut = segmentNamed(layout, 'saturated')!;
    plain.values[cut.offset] = 3;
    const weight = segmentNamed(layout, 'weight')!;
    const norm = segmentNamed(layout, 'norm')!;
    expect(plain.values[norm.offset]).not.toBe(0);
    const before = plain.values.slice();
    const after = maskable(layout, plain, { ...sumNoise, variance: siloVariance(sumNoise, 5, 1), bytes: bytes('x') });
    expect(after.subarray(0, 50)).not.toEqual(before.subarray(0, 50));
    expect([after[cut.offset], after[norm.offset]]).toEqual([0, 0]);
    expect(after[weight.offset]).toBe(before[weight.offset]);
  });

  it('is the same again for the same secret, and within the tail that the overflow check counts with', () => {
    const draw = (): Int32Array =>
      maskable(layout, quantised(0), { ...sumNoise, variance: siloVariance(sumNoise, 5, 1), bytes: bytes('again') });
    expect(draw()).toEqual(draw());
    expect(Math.max(...draw().subarray(0, PARAMETERS).map(Math.abs))).toBeLessThan(sumNoise.tail);
    const tooMuch = { ...sumNoise, variance: siloVariance(sumNoise, 5, 1), tail: 100, bytes: bytes('y') };
    expect(jobProblemOf(() => maskable(layout, quantised(0), tooMuch))).toContain('leaves room for 100');
  });

  it('is demanded: a vector that lacks it does not become maskable', () => {
    expect(jobProblemOf(() => maskable(layout, quantised(0), undefined))).toContain('do not go together');
    // @ts-expect-error: quantised values are not maskable until noise has been decided on.
    const leaked: ReturnType<typeof maskable> = quantised(0).values;
    expect(leaked).toBeDefined();
  });
});

describe('the cost of a sum', () => {
  it('falls with the noise and grows with rounds, for both mechanisms', () => {
    const room = { silos: 5, modulusBits: 32 };
    const epsilon = (level: number, rounds: number, mechanism: NoiseTerms['mechanism']): number => {
      const terms = { dimensions: 100, contributors: 3 };
      const quantiser = noisyQuantiser({ mechanism, noise: level, delta: 1e-5 }, { ...terms, room });
      return epsilonOfSum({ mechanism, ...quantiser, ...terms, rounds }, 1e-5).epsilon;
    };
    for (const mechanism of ['skellam', 'discrete-gaussian'] as const) {
      expect(epsilon(2, 5, mechanism)).toBeLessThan(epsilon(1, 5, mechanism));
      expect(epsilon(2, 5, mechanism)).toBeLessThan(epsilon(2, 6, mechanism));
      expect(epsilon(4, 1, mechanism)).toBeGreaterThan(gaussianEpsilon(4, 1e-5));
    }
  });
});

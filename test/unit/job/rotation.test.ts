// The rotation in the path of a sum: from a job file to integers in few bits, their sum with its noise, and back to the mean.

import { describe, expect, it } from 'vitest';
import { utf8 } from '../../../src/base/index.js';
import { JOBS } from '../../../src/compute/jobs.js';
import { hash, Keystream, LABELS, sha256 } from '../../../src/crypto/index.js';
import {
  buildManifest,
  checkLayout,
  checkPrivacy,
  decodeModelState,
  encodeModelState,
  judgeRound,
  noisyQuantiser,
  rotated,
  rotationKey,
  trainingSegments,
  type ManifestFacts,
  type NoiseTerms,
  type TrainingJobFile,
} from '../../../src/job/index.js';
import { flattened, roundedNormBound } from '../../../src/privacy/index.js';
import { readLayout, type SumNoise } from '../../../src/protocol/index.js';
import { l2Norm, largestSum, segmentNamed, type Layout } from '../../../src/vector/index.js';
import { JobManifest, decode, encode } from '../../../src/wire/index.js';
import { jobProblemOf, contract, recipe } from '../../support/jobs.js';

const { target: _target, ...data } = contract;
const CLIP = 2;
const facts = (parameterCount: number): ManifestFacts => ({
  rosterHash: new Uint8Array(32).fill(1),
  initialModelHash: new Uint8Array(32).fill(2),
  model: { blob: { sha256: new Uint8Array(32).fill(3), size: 10n }, parameterCount },
});
function fileWith(silos: number, privacy: NoiseTerms): TrainingJobFile {
  return {
    kind: 'train',
    job: 'heart-1',
    description: 'Predicts heart disease.',
    silos: Array.from({ length: silos }, (_, k) => `silo-${String(k).padStart(3, '0')}`),
    data: { ...data, target: { kind: 'binary', column: 'sick' } },
    model: { file: 'heart.onnx' },
    training: {
      loss: recipe.loss,
      optimiser: recipe.optimiser,
      batchSize: 16,
      localWork: recipe.localWork,
      clip: CLIP,
      weightRows: 1,
      privacy,
    },
    evaluation: { holdoutFraction: 0 },
    rounds: 10,
  };
}
const noise: NoiseTerms = { mechanism: 'skellam', noise: 1.5, delta: 1e-5 };
const built = (silos: number, parameters: number, terms = noise): JobManifest =>
  buildManifest(fileWith(silos, terms), facts(parameters));
const sumNoiseOf = ({ noise: message }: JobManifest): SumNoise => ({
  mechanism: 'skellam',
  variance: message!.variance,
  tail: Number(message!.tail),
  rotated: message!.rotated,
  recordSensitivity: undefined,
});
const layoutOf = (manifest: JobManifest): Layout => readLayout(manifest.layout, sumNoiseOf(manifest));
const holdout = {
  count: 0,
  lossSum: 0,
  correct: 0,
  positives: new Float64Array(100),
  negatives: new Float64Array(100),
};
describe('a manifest with noise', () => {
  it('rotates unless its file says no, and one that does not is as it was', () => {
    const manifest = built(5, 3000);
    expect(manifest.noise?.rotated).toBe(true);
    const plain = built(5, 3000, { ...noise, rotation: 'none' });
    expect(plain.noise?.rotated).toBe(false);
    for (const one of [manifest, plain]) {
      const read = decode(JobManifest, 'manifest', encode(JobManifest, one), 1 << 20);
      expect(checkLayout(read, { parameterCount: 3000, statisticCount: 0 })).toEqual([]);
      checkPrivacy(read);
    }
    // Not a byte more for those that do not rotate.
    const turned = { ...plain, noise: { ...plain.noise!, rotated: true } };
    expect(encode(JobManifest, plain)).toHaveLength(encode(JobManifest, turned).length - 2);
  });

  it.each([
    [5, 31],
    [5, 1000],
    [5, 1_000_000],
    [100, 1_000_000],
  ])('of %i silos and %i parameters has a smaller modulus, and hardly a larger epsilon', (silos, parameters) => {
    const [turned, plain] = [built(silos, parameters), built(silos, parameters, { ...noise, rotation: 'none' })];
    expect(turned.modulusBits).toBeLessThan(plain.modulusBits - 4);
    expect(turned.privacy!.epsilon).toBeLessThan(plain.privacy!.epsilon * 1.02);
    // Nothing is padded.
    expect(layoutOf(turned).length).toBe(layoutOf(plain).length);
    const delta = segmentNamed(layoutOf(turned), 'delta')!;
    expect(largestSum(delta, silos)).toBeLessThan(2 ** (turned.modulusBits - 1));
  });

  it('names a sensitivity that no silo’s vector exceeds, and is refused with a finer or coarser bound on coordinates', () => {
    const manifest = built(5, 3000);
    const quantiser = manifest.layout!.segments[0]!.quantiser;
    if (quantiser?.$case !== 'real') throw new Error('real');
    const units = quantiser.value.clip * quantiser.value.scale;
    const l2 = roundedNormBound(units, 3000);
    expect(manifest.noise!.variance).toBeCloseTo((1.5 * l2) ** 2, 3);
    expect(Number(quantiser.value.qMax)).toBe(Math.ceil(units * flattened(3000)) + 1);
    const changed = structuredClone(manifest);
    if (changed.layout?.segments[0]?.quantiser?.$case === 'real') changed.layout.segments[0].quantiser.value.qMax += 1n;
    expect(checkLayout(changed, { parameterCount: 3000, statisticCount: 0 })).toMatchObject([{ segment: 'delta' }]);
    // A manifest that claims not to rotate would promise another epsilon.
    const denied = { ...manifest, noise: { ...manifest.noise!, rotated: false } };
    expect(checkLayout(denied, { parameterCount: 3000, statisticCount: 0 })).not.toEqual([]);
  });

  it('is refused where so few bits make rounding weigh more than a hundredth', () => {
    const terms = { dimensions: 1_000_000, contributors: 3, room: { silos: 5, modulusBits: 16 } };
    expect(jobProblemOf(() => noisyQuantiser(noise, terms))).toContain('raise modulus_bits');
    const { l2, units } = noisyQuantiser(noise, { ...terms, room: { silos: 5, modulusBits: 20 } });
    expect(l2 / units!).toBeLessThan(1.01);
  });
});

describe('a round with rotation', () => {
  const d = 3000;
  const manifest = built(5, d);
  const layout = layoutOf(manifest);
  const state = encodeModelState({
    modelSha256: new Uint8Array(32).fill(3),
    parameters: new Float32Array(d).fill(0.5),
    updateState: new Uint8Array(),
  });
  // In quantised units: far less than the manifest says, so that the mean can be compared.
  const VARIANCE = 1;
  const modelHash = hash(LABELS.model, state);
  const key = rotationKey(manifest.jobId, modelHash);
  const changes = Array.from({ length: 4 }, (_, silo) =>
    // All of it on few coordinates: the worst case for a modulus.
    Float32Array.from({ length: d }, (_, i) => (i % 700 === silo ? CLIP / 2.5 : 0)),
  );
  const inputOf = (delta: Float32Array, silo: number, rotation: Uint8Array | undefined = key): Int32Array => {
    const out = new Int32Array(layout.length);
    const terms = { recipe: { ...recipe, histogramBins: 100, weightRows: 1 }, contract, layout };
    JOBS.quantise({
      layout,
      segments: trainingSegments({ delta, rows: 50, holdout }, terms),
      rounding: sha256(utf8(`rounding ${String(silo)}`)),
      rotation,
      noise: {
        mechanism: 'skellam',
        variance: VARIANCE,
        tail: sumNoiseOf(manifest).tail,
        key: sha256(utf8(`noise ${String(silo)}`)),
      },
      out,
    });
    return out;
  };
  const judged = (jobId = manifest.jobId): ReturnType<typeof judgeRound> => {
    const opened = new Int32Array(layout.length);
    changes.forEach((delta, silo) => {
      inputOf(delta, silo).forEach((value, i) => (opened[i] = opened[i]! + value));
    });
    return judgeRound({ manifest: { ...manifest, jobId }, layout, closing: false, opened, survivors: 4, state });
  };
  const off = ({ state: after }: ReturnType<typeof judgeRound>): number => {
    const { parameters } = decodeModelState(after);
    return l2Norm(
      parameters.map((value, i) => value - 0.5 - changes.reduce((sum, change) => sum + change[i]! / changes.length, 0)),
    );
  };
  const meanNorm = l2Norm(
    Float64Array.from({ length: d }, (_, i) => changes.reduce((sum, change) => sum + change[i]! / changes.length, 0)),
  );

  it('moves the model by the mean of the changes, up to the noise', () => {
    const result = judged();
    expect(result.outcome).toBe('applied');
    // Noise and rounding of 4 silos on d coordinates, over the weight 4.
    const expected = (Math.sqrt(4 * (VARIANCE + 0.25)) * Math.sqrt(d)) / realScale(layout) / 4;
    expect(off(result)).toBeLessThan(1.2 * expected);
    expect(expected).toBeLessThan(0.4 * meanNorm);
  });

  it('is judged otherwise under another rotation, which therefore decides', () => {
    expect(off(judged('heart-2'))).toBeGreaterThan(meanNorm);
    expect(off(judged())).toBeLessThan(0.4 * meanNorm);
  });

  it('has integers within the modulus, no longer than the sensitivity before noise', () => {
    const bound = roundedNormBound(CLIP * realScale(layout), d);
    const parts = rotated(
      layout,
      trainingSegments(
        { delta: changes[0]!.map((x) => 1000 * x), rows: 50, holdout },
        {
          recipe: { ...recipe, histogramBins: 100, weightRows: 1 },
          contract,
          layout,
        },
      ),
      key,
    );
    const unrotated = changes[0]!;
    expect(Math.max(...parts[0]!.values.map(Math.abs))).toBeLessThan(0.5 * Math.max(...unrotated));
    expect(l2Norm(parts[0]!.values)).toBeLessThanOrEqual(CLIP);
    expect(bound).toBeLessThan(1.01 * CLIP * realScale(layout));
  });

  it('is refused by a silo that has no rotation', () => {
    expect(jobProblemOf(() => rotated(layout, [{ name: 'delta', values: new Float32Array(d) }], undefined))).toContain(
      'job/bad-contribution',
    );
  });

  it('has signs that follow from the model and the job, and from nothing a coordinator says', () => {
    expect(rotationKey('heart-1', modelHash)).toEqual(key);
    expect(rotationKey('heart-2', modelHash)).not.toEqual(key);
    expect(rotationKey('heart-1', sha256(utf8('another model')))).not.toEqual(key);
    const minus = new Keystream(key)
      .next(256)
      .reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0);
    expect(Math.abs(minus - 1024)).toBeLessThan(5 * Math.sqrt(512));
  });
});

function realScale(layout: Layout): number {
  const quantiser = layout.segments[0]!.quantiser;
  return quantiser.kind === 'real' ? quantiser.scale : 0;
}

// The job file of a data scientist, as YAML. This room checks its shape; job/ checks what its numbers mean when it makes a manifest.

import { z } from 'zod';
import type { JobFile } from '../job/index.js';
import { features } from './feature.js';
import { finite, name, pathIn, strict, whole } from './fields.js';
import { readConfig } from './read.js';

const count = whole(0, Number.MAX_SAFE_INTEGER);

const range = { minimum: finite, maximum: finite };

const survivalTarget = strict({
  kind: z.literal('survival'),
  column: z.string(),
  eventColumn: z.string(),
  maximum: finite,
});

const target = z.discriminatedUnion('kind', [
  strict({ kind: z.literal('binary'), column: z.string() }),
  strict({ kind: z.literal('classes'), column: z.string(), classes: count }),
  strict({ kind: z.literal('real'), column: z.string(), ...range }),
  survivalTarget,
]);

const data = {
  dataSet: name,
  features,
  missing: z.enum(['refuse', 'drop-row']).default('refuse'),
  minRows: count,
  maxRows: count,
};

/** Beside means and deviations. */
const statistics = strict({
  histograms: z.array(strict({ column: z.string(), bins: count.default(0) })).default([]),
  correlations: z.array(z.string()).default([]),
  contingency: z.array(strict({ rows: z.string(), columns: z.string() })).default([]),
  missingness: z.boolean().default(false),
  survival: strict({ bins: count, by: z.string().default('') }).optional(),
}).transform(({ survival, ...rest }) => ({ ...rest, survival }));

const classWeights = z.array(finite).default([]);

/** `loss: huber` stands for `loss: { kind: huber }`. */
const loss = z.preprocess(
  (value) => (typeof value === 'string' ? { kind: value } : value),
  z.discriminatedUnion('kind', [
    strict({ kind: z.literal('binary-cross-entropy'), classWeights }),
    strict({ kind: z.literal('softmax-cross-entropy'), classWeights }),
    strict({ kind: z.literal('squared-error') }),
    strict({ kind: z.literal('huber'), delta: finite.default(1) }),
    strict({ kind: z.literal('focal'), gamma: finite.default(2), classWeights }),
    strict({ kind: z.literal('cox') }),
  ]),
);

const weightDecay = finite.default(0);

const betas = { beta1: finite.default(0.9), beta2: finite.default(0.999), epsilon: finite.default(1e-8) };

const optimiser = z.discriminatedUnion('kind', [
  strict({
    kind: z.literal('sgd'),
    learningRate: finite,
    momentum: finite.default(0),
    nesterov: z.boolean().default(false),
    weightDecay,
  }),
  strict({ kind: z.literal('adam'), learningRate: finite, ...betas, weightDecay }),
  strict({ kind: z.literal('adamw'), learningRate: finite, ...betas, weightDecay: finite.default(0.01) }),
]);

const schedule = z.discriminatedUnion('kind', [
  strict({ kind: z.literal('constant') }),
  strict({ kind: z.literal('step'), everyRounds: count, factor: finite }),
  strict({ kind: z.literal('cosine'), finalFactor: finite.default(0.01) }),
]);

const method = z.discriminatedUnion('kind', [
  strict({ kind: z.literal('plain') }),
  strict({ kind: z.literal('fed-prox'), mu: finite }),
  strict({ kind: z.literal('fed-nova') }),
  strict({ kind: z.literal('scaffold'), controlClip: finite.optional() }),
]);

const momenta = { beta1: finite.default(0.9), beta2: finite.default(0.99), tau: finite.default(1e-3) };

const server = z.discriminatedUnion('kind', [
  strict({ kind: z.literal('fed-avg'), learningRate: finite.default(1) }),
  strict({ kind: z.literal('fed-avg-m'), learningRate: finite.default(1), momentum: finite.default(0.9) }),
  strict({ kind: z.literal('fed-adam'), learningRate: finite, ...momenta }),
  strict({ kind: z.literal('fed-yogi'), learningRate: finite, ...momenta }),
  strict({ kind: z.literal('fed-adagrad'), learningRate: finite, beta1: finite.default(0), tau: finite.default(1e-3) }),
]);

const evaluation = {
  holdoutFraction: finite.optional(),
  histogramBins: count.optional(),
  slices: z.array(z.string().min(1)).min(1).optional(),
};

/** `unit: silo`, `unit: record`, or the column whose equal values make one patient. The first asks for other terms than the others. */
const privacy = strict({
  unit: z.string().min(1),
  mechanism: z.enum(['skellam', 'discrete-gaussian']).optional(),
  rotation: z.enum(['hadamard', 'none']).optional(),
  clip: finite.optional(),
  noise: finite.optional(),
  epsilon: finite.optional(),
  delta: finite,
  minUnits: count.optional(),
}).transform((given, context) => {
  const { unit, mechanism, rotation, clip, noise, epsilon, delta, minUnits } = given;
  const complain = (field: string, message: string): void => {
    context.issues.push({ code: 'custom', path: [field], message, input: given });
  };
  if (unit === 'silo') {
    for (const field of ['clip', 'epsilon', 'minUnits'] as const)
      if (given[field] !== undefined) complain(field, 'not with unit: silo, whose clip is training.clip');
    if (noise === undefined) complain('noise', 'expected a number, in clips on the sum');
    return { privacy: { mechanism: mechanism ?? ('skellam' as const), rotation, noise: noise ?? 0, delta } };
  }
  if (mechanism !== undefined) complain('mechanism', 'only with unit: silo; records are noised by discrete Gaussians');
  if (rotation !== undefined) complain('rotation', 'only with unit: silo; gradients are noised before they are sent');
  if (clip === undefined) complain('clip', 'expected a number: the length to which each gradient is cut');
  const unitColumn = unit === 'record' ? {} : { unitColumn: unit };
  return { unitPrivacy: { clip: clip ?? 0, noise, epsilon, delta, minUnits, ...unitColumn } };
});

const training = strict({
  loss,
  optimiser,
  batchSize: count,
  epochs: count.optional(),
  steps: count.optional(),
  clip: finite,
  weightRows: count,
  statisticsClip: finite.optional(),
  weightVisibility: z.enum(['public', 'coarse']).optional(),
  privacy: privacy.optional(),
  schedule: schedule.optional(),
  warmUpRounds: count.optional(),
  maxGradientNorm: finite.optional(),
  method: method.optional(),
  server: server.optional(),
}).transform(({ epochs, steps, privacy: promised, ...others }, context) => {
  const rest = { ...others, ...promised };
  if (epochs !== undefined && steps === undefined) return { ...rest, localWork: { kind: 'epochs', epochs } as const };
  if (steps !== undefined && epochs === undefined) return { ...rest, localWork: { kind: 'steps', steps } as const };
  context.issues.push({ code: 'custom', path: ['epochs'], message: 'expected either epochs or steps', input: rest });
  return z.NEVER;
});

const common = {
  job: name,
  description: z.string().min(1),
  silos: z.array(name),
  maxMalicious: count.optional(),
  minCohort: count.optional(),
  graph: z
    .discriminatedUnion('kind', [
      strict({ kind: z.literal('complete') }),
      strict({ kind: z.literal('regular'), absent: count }),
    ])
    .optional(),
  modulusBits: count.optional(),
  fullVerification: z.boolean().optional(),
  timeouts: strict({
    advertiseMs: count.optional(),
    shareMs: count.optional(),
    maskMs: count.optional(),
    confirmMs: count.optional(),
    unmaskMs: count.optional(),
    absentAfterMs: count.optional(),
    graceMs: count.optional(),
  }).optional(),
};

const jobFile = (folder: string) => {
  const patterns = z.array(z.string().min(1)).min(1).optional();
  const fields = { file: pathIn(folder), standardiseBy: name.optional(), train: patterns };
  const model = strict(fields);
  return z.discriminatedUnion('kind', [
    strict({
      ...common,
      kind: z.literal('train'),
      data: strict({ ...data, target }),
      model: strict({ ...fields, local: patterns }),
      training,
      evaluation: strict(evaluation).optional(),
      rounds: count,
      earlyStopping: strict({
        metric: z.string().min(1),
        patience: count,
        minimumImprovement: finite.optional(),
      }).optional(),
      rejectedRoundsLimit: count.optional(),
      minWeight: finite.optional(),
    }),
    strict({
      ...common,
      kind: z.literal('evaluate'),
      data: strict({ ...data, target }),
      model,
      evaluation: strict({ loss, ...evaluation }),
    }),
    strict({
      ...common,
      kind: z.literal('statistics'),
      // Only survival curves have a use for one.
      data: strict({ ...data, target: survivalTarget.optional() }),
      statistics: statistics.optional(),
      privacy: strict({
        unit: z.literal('record'),
        mechanism: z.enum(['skellam', 'discrete-gaussian']).default('discrete-gaussian'),
        noise: finite.optional(),
        epsilon: finite.optional(),
        delta: finite,
      })
        .transform(({ unit: _unit, ...terms }) => terms)
        .optional(),
    }),
  ]);
};

/** Throws ConfigError with every bad field. */
export async function readJobFile(path: string): Promise<JobFile> {
  return readConfig<JobFile>(path, jobFile);
}

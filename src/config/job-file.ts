// The job file of a data scientist, as YAML. This room checks its shape; job/ checks what its numbers mean when it makes a manifest.

import { z } from 'zod';
import type { JobFile } from '../job/index.js';
import { finite, name, pathIn, strict, whole } from './fields.js';
import { readConfig } from './read.js';

const count = whole(0, Number.MAX_SAFE_INTEGER);

const range = { minimum: finite, maximum: finite };

const target = z.discriminatedUnion('kind', [
  strict({ kind: z.literal('binary'), column: z.string() }),
  strict({ kind: z.literal('classes'), column: z.string(), classes: count }),
  strict({ kind: z.literal('real'), column: z.string(), ...range }),
]);

const data = {
  dataSet: name,
  features: z.array(strict({ column: z.string(), ...range, unit: z.string().default('') })),
  missing: z.enum(['refuse', 'drop-row']).default('refuse'),
  minRows: count,
  maxRows: count,
};

const loss = z.enum(['binary-cross-entropy', 'softmax-cross-entropy', 'squared-error']);

const evaluation = { holdoutFraction: finite.optional(), histogramBins: count.optional() };

const training = strict({
  loss,
  optimiser: z.discriminatedUnion('kind', [
    strict({ kind: z.literal('sgd'), learningRate: finite, momentum: finite.default(0) }),
    strict({
      kind: z.literal('adam'),
      learningRate: finite,
      beta1: finite.default(0.9),
      beta2: finite.default(0.999),
      epsilon: finite.default(1e-8),
    }),
  ]),
  batchSize: count,
  epochs: count.optional(),
  steps: count.optional(),
  clip: finite,
  weightRows: count,
  weightVisibility: z.enum(['public', 'coarse']).optional(),
  serverLearningRate: finite.optional(),
}).transform(({ epochs, steps, ...rest }, context) => {
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
  const model = strict({ file: pathIn(folder), standardiseBy: name.optional() });
  return z.discriminatedUnion('kind', [
    strict({
      ...common,
      kind: z.literal('train'),
      data: strict({ ...data, target }),
      model,
      training,
      evaluation: strict(evaluation).optional(),
      rounds: count,
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
    strict({ ...common, kind: z.literal('statistics'), data: strict(data) }),
  ]);
};

/** Throws ConfigError with every bad field. */
export async function readJobFile(path: string): Promise<JobFile> {
  return readConfig<JobFile>(path, jobFile);
}

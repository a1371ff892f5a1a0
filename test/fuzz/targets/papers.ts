// What an operator or the consortium hands out as bytes: the roster, a manifest signed by a real operator, and the opaque parts in it.

import { concat } from '../../../src/base/index.js';
import {
  encodeContract,
  encodeRecipe,
  encodeUpdateRule,
  explainManifest,
  parseContract,
  parseJob,
  parseRecipe,
  parseUpdateRule,
} from '../../../src/job/index.js';
import { openManifest, readRoster } from '../../../src/protocol/index.js';
import * as wire from '../../../src/wire/index.js';
import { contract, recipe, trainingManifest } from '../../support/jobs.js';
import { found, manifestOf, rosterOf, siloNames, signManifest } from '../../support/memory/founding.js';
import { mutateBytes } from '../bytes.js';
import { mutateMessage, Pool } from '../message.js';
import type { Random } from '../random.js';
import { attempted, never, type Target } from '../target.js';

interface Paper {
  readonly codec: wire.MessageType<unknown>;
  readonly samples: readonly unknown[];
  readonly read: (bytes: Uint8Array) => unknown;
}

const founded = found(5);
const rule = encodeUpdateRule({ kind: 'fed-avg', learningRate: 1 });
const parts = { recipe: encodeRecipe(recipe), updateRule: rule, dataContract: encodeContract(contract) };

function paper<T>(codec: wire.MessageType<T>, samples: readonly T[], read: (bytes: Uint8Array) => unknown): Paper {
  return { codec: codec, samples, read };
}

function readManifest(payload: Uint8Array): void {
  const type = 'manifest';
  const envelope = { payload, signer: 'operator/olga', type, signature: founded.operatorKey.sign(type, payload) };
  const manifest = openManifest(founded.roster, envelope);
  never(!Number.isSafeInteger(manifest.layout.length) || manifest.layout.length < 1, 'a vector of no length');
  const { acceptance, noise, privacy, timeouts } = manifest.message;
  const bounds: readonly number[] = [acceptance?.minWeight ?? 0, acceptance?.maxMeanNorm ?? 0, timeouts?.shareMs ?? 0];
  for (const bound of bounds) never(!(bound >= 0 && bound < Infinity), `${bound} counts as a bound`);
  never((privacy?.epsilon ?? 0) !== 0 && noise === undefined, 'privacy is promised that nothing provides');
  const job = parseJob(manifest.message);
  never(job.contract.features.length > 10_000, 'more features than the limit');
  const policy = { minCohort: 3, minHonest: 2, maxMalicious: 1 };
  for (const section of explainManifest(manifest.message, { manifestHash: manifest.hash, policy }))
    for (const line of section.lines)
      never(/[\u0000-\u001f\u007f]/u.test(line), 'control characters on the operator’s screen');
}

const PAPERS: readonly Paper[] = [
  paper(wire.Roster, [rosterOf(siloNames(5))], readRoster),
  paper(
    wire.JobManifest,
    [
      manifestOf(founded),
      manifestOf(founded, parts),
      { ...trainingManifest(), rosterHash: founded.roster.hash, silos: [...founded.silos] },
    ],
    readManifest,
  ),
  paper(wire.TrainingRecipe, [wire.TrainingRecipe.decode(parts.recipe)], parseRecipe),
  paper(wire.DataContract, [wire.DataContract.decode(parts.dataContract)], parseContract),
  paper(wire.UpdateRule, [wire.UpdateRule.decode(rule)], parseUpdateRule),
];

export function papersTarget(): Target {
  const pool = new Pool();
  for (const { samples } of PAPERS) for (const sample of samples) pool.learn(sample);
  pool.learn(signManifest(founded, manifestOf(founded)));
  return {
    name: 'papers',
    generate: (random) => {
      const which = random.below(PAPERS.length);
      return concat(Uint8Array.of(which), body(random, PAPERS[which]!));
    },
    execute: (input) => attempted(() => PAPERS[(input[0] ?? 0) % PAPERS.length]!.read(input.slice(1))),
  };

  function body(random: Random, { codec, samples }: Paper): Uint8Array {
    const sample = random.pick(samples);
    const honest = wire.encode(codec, sample);
    if (random.once(4)) return mutateBytes(random, honest);
    try {
      return wire.encode(codec, mutateMessage(random, sample, pool));
    } catch {
      // A value that no encoder writes: bytes, then.
      return mutateBytes(random, honest);
    }
  }
}

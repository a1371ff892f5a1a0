// The keys of a silo's input, by docs/protocol.md §3: the input rule compares them over all jobs. The same computation on the same records with
// the same parameters has the same keys, under whatever job, layout and update state; anything else has others.

import { describe, expect, it } from 'vitest';
import { concat, u32be, utf8, type Hash } from '../../../src/base/index.js';
import { hash, LABELS, sha256 } from '../../../src/crypto/index.js';
import { encodeContract, encodeModelState, encodeRecipe } from '../../../src/job/index.js';
import type { Manifest, Plan } from '../../../src/protocol/index.js';
import { JobKind, type JobManifest } from '../../../src/wire/index.js';
import { Contributor, type LocalWork } from '../../../silo-agent/contribute.js';
import { contract, recipe, statisticsManifest, trainingManifest } from '../../support/jobs.js';

const VERSION = 'ab'.repeat(32);
const PARAMETERS = Float32Array.of(1, -2.5, 0.125);
const COLUMNS = sha256(utf8(JSON.stringify(['age', 'chol', 'sick'])));

interface Asked {
  readonly manifest?: JobManifest;
  readonly round?: number;
  readonly version?: string;
  readonly parameters?: Float32Array;
  readonly updateState?: Uint8Array;
}

/** The keys that an agent with these records and this model gives. */
function keysOf(asked: Asked = {}): Promise<Uint8Array[]> {
  const { manifest: message = trainingManifest(), round = 1, version = VERSION } = asked;
  const { parameters = PARAMETERS, updateState = new Uint8Array() } = asked;
  const state = encodeModelState({ modelSha256: new Uint8Array(32), parameters, updateState });
  const models = {
    has: () => Promise.resolve(true),
    size: () => Promise.resolve(state.length),
    read: () => Promise.resolve(state),
  };
  const work = { readDataSet: () => Promise.resolve({ version }) };
  const config = { dataSets: { heart: { query: '', directories: [] } }, state: '' };
  // Of store, configuration and work only what is asked for here.
  const parts = { config, store: { models }, computer: undefined } as unknown as ConstructorParameters<
    typeof Contributor
  >[0];
  const contributor = new Contributor(parts, () => undefined, work as unknown as LocalWork);
  // Likewise: the message, and when its last round is.
  const manifest = { message, roundLimit: message.roundLimit } as unknown as Manifest;
  const plan = { round, modelHash: new Uint8Array(32) } as unknown as Plan;
  return contributor.keysOf(manifest, plan);
}

function key(what: string, ...more: Uint8Array[]): Hash {
  const name = utf8(what);
  return hash(LABELS.inputKey, concat(u32be(name.length), name, utf8(VERSION), ...more));
}

const MODEL = sha256(new Uint8Array(PARAMETERS.buffer));

describe('the keys of an input', () => {
  it('to training are those of its update and its metrics; to the closing round and an evaluation those of the metrics alone', async () => {
    const metrics = key('metrics', COLUMNS, MODEL);
    expect(await keysOf()).toEqual([key('update', COLUMNS, MODEL), metrics]);
    expect(await keysOf({ round: 11 })).toEqual([metrics]);
    const sex = { column: 'sex', minimum: 0, maximum: 1, unit: '', categories: ['f', 'm'] };
    const sliced = trainingManifest({
      recipe: encodeRecipe({ ...recipe, slices: ['sex'] }),
      dataContract: encodeContract({ ...contract, features: [...contract.features, sex] }),
    });
    const columns = sha256(utf8(JSON.stringify(['age', 'chol', 'sex', 'sick'])));
    expect(await keysOf({ manifest: sliced, round: 11 })).toEqual([
      key('metrics', columns, MODEL),
      key('slice', utf8('sex'), columns, MODEL),
    ]);
    const evaluation = trainingManifest({
      kind: JobKind.JOB_KIND_EVALUATE,
      updateRule: new Uint8Array(),
      roundLimit: 1,
    });
    expect(await keysOf({ manifest: evaluation })).toEqual([metrics]);
  });

  it('to statistics are one for each column', async () => {
    expect((await keysOf({ manifest: statisticsManifest() })).slice(0, 2)).toEqual([
      key('moments', utf8('age')),
      key('moments', utf8('chol')),
    ]);
  });

  it('stay the same under another job, clip, learning rate and update state', async () => {
    const slower = { ...recipe, optimiser: { ...recipe.optimiser, learningRate: 0.01 } };
    const other = trainingManifest({ jobId: 'heart-2', recipe: encodeRecipe(slower), maxMalicious: 0 });
    expect(await keysOf({ manifest: other, updateState: Uint8Array.of(1) })).toEqual(await keysOf());
  });

  it('are others for other records, parameters or columns', async () => {
    const fewer = { ...contract, features: contract.features.slice(1) };
    const others = await Promise.all([
      keysOf(),
      keysOf({ version: 'cd'.repeat(32) }),
      keysOf({ parameters: Float32Array.of(1, -2.5, 0.25) }),
      keysOf({ manifest: trainingManifest({ dataContract: encodeContract(fewer) }) }),
    ]);
    expect(new Set(others.flat().map(String)).size).toBe(others.flat().length);
  });

  it('are not changed by a dummy column beside the same data, which statistics have each by itself', async () => {
    const wider = {
      ...contract,
      target: undefined,
      features: [...contract.features, { ...contract.features[0]!, column: 'dummy' }],
    };
    const keys = await keysOf({ manifest: statisticsManifest({ dataContract: encodeContract(wider) }) });
    for (const one of (await keysOf({ manifest: statisticsManifest() })).slice(0, 2)) expect(keys).toContainEqual(one);
  });
});

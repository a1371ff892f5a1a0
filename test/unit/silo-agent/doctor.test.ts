// What doctor says of the jobs that were offered, and of the clock, each with what to do about it.

import { mkdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkJobs } from '../../../silo-agent/job-check.js';
import { Offers } from '../../../silo-agent/offers.js';
import { asSiloId, hex } from '../../../src/base/index.js';
import { readAgentConfig, type AgentConfig } from '../../../src/config/index.js';
import { sha256, SigningKey } from '../../../src/crypto/index.js';
import { readSigningKey } from '../../../src/pki/index.js';
import { openManifest, seal } from '../../../src/protocol/index.js';
import { checkOwnClock, compareClocks, type Finding } from '../../../src/upkeep/index.js';
import { JobManifest } from '../../../src/wire/index.js';
import { agentYaml, found, OPERATOR, type Founded } from '../../support/e2e/founding.js';
import { statisticsFile, statisticsManifest, trainingFile, trainingManifest } from '../../support/e2e/jobs.js';
import { DATA_SET, RANGES } from '../../support/e2e/records.js';
import { logisticRegression } from '../../support/onnx-models.js';
import { node, operateOn } from '../../support/onnx-surgery.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

let founded: Founded;
let config: AgentConfig;

beforeAll(async () => {
  founded = await found({ silos: 3 });
  const [silo] = founded.silos;
  // Nobody listens on port 1.
  await writeFile(founded.at('agent.yaml'), agentYaml(founded, { silo: silo!, port: 1 }));
  config = await readAgentConfig(founded.at('agent.yaml'));
});

afterAll(() => rm(founded.folder, { recursive: true, force: true }));

const good = logisticRegression(RANGES.length);
const three = logisticRegression(RANGES.length, 3);
const strange = operateOn(good, ({ graph }) => {
  graph.node.push(node({ opType: 'Sinh', input: [graph.output[0]!.name], output: ['sinh'] }));
  graph.output[0]!.name = 'sinh';
});

const { data, training: plain } = trainingFile('x', []);
const classes = {
  data: { ...data, target: { kind: 'classes', column: 'sick', classes: 3 } },
  training: { ...plain, loss: { kind: 'softmax-cross-entropy', classWeights: [] } },
} as const;

/** Offers a job to a silo that has nothing else, with these models in its state folder. */
async function offered(made: JobManifest, ...models: Uint8Array[]): Promise<AgentConfig> {
  const state = temporaryFolder();
  const { seed } = await readSigningKey(founded.at(`${OPERATOR}.key`));
  const envelope = seal(SigningKey.from(seed), `operator/${OPERATOR}`, 'manifest', JobManifest, made);
  await (await Offers.open(state)).offer(openManifest(founded.roster, envelope));
  await mkdir(join(state, 'blobs'));
  for (const model of models) await writeFile(join(state, 'blobs', hex(sha256(model))), model);
  return { ...config, state };
}

const training = (model: Uint8Array, shape: Parameters<typeof trainingFile>[2] = {}, first = good): JobManifest => {
  const made = trainingManifest(trainingFile('training', founded.silos, shape), founded.roster.hash, first).manifest;
  return { ...made, forwardModel: { sha256: sha256(model), size: BigInt(model.length) } };
};

/** By DP-SGD, for each record. */
const withNoise = (): JobManifest =>
  training(good, {
    training: {
      ...plain,
      localWork: { kind: 'steps', steps: 5 },
      unitPrivacy: { clip: 1, noise: 1.1, delta: 1e-5 },
    },
    evaluation: { holdoutFraction: 0 },
  });

function withBudget(unit: 'silo' | 'record'): AgentConfig['policy'] {
  const budget = { epsilon: 8, delta: 1e-5, unit, withoutNoise: 'refuse' } as const;
  return { ...config.policy, privacy: { dataSets: { [DATA_SET]: budget } } };
}

async function only(of: AgentConfig): Promise<Finding> {
  const findings = await checkJobs(of);
  expect(findings).toHaveLength(1);
  return findings[0]!;
}

it('says that none was offered, and makes no folder to find that out', async () => {
  const state = join(temporaryFolder(), 'not-there');
  expect(await only({ ...config, state })).toMatchObject({ state: 'ok', found: 'none has been offered yet' });
});

it('finds a statistics job and a model that can be trained well', async () => {
  const sums = statisticsManifest(statisticsFile('sums', founded.silos), founded.roster.hash);
  expect(await only(await offered(sums))).toMatchObject({ check: 'job sums', state: 'ok' });
  const finding = await only(await offered(training(good), good));
  expect(finding).toMatchObject({ check: 'job training', state: 'ok' });
  expect(finding.found).toMatch(
    /^waits for a decision; its model can be trained here: \d+ parameters, .*MatMul|Gemm.* MiB a step$/,
  );
});

it('finds a job well whose noise protects what the budget is for', async () => {
  const of = { ...(await offered(withNoise(), good)), policy: withBudget('record') };
  expect(await only(of)).toMatchObject({ check: 'job training', state: 'ok' });
});

it('passes over a job that was refused', async () => {
  const of = await offered(training(strange), strange);
  const offers = await Offers.open(of.state);
  const [manifest] = await offers.list(founded.roster);
  const [silo] = founded.silos;
  const { seed } = await readSigningKey(founded.at(`${silo!}.key`));
  const decision = { approved: false, note: '', atMs: 0 };
  await offers.decide(SigningKey.from(seed), asSiloId(silo!)!, manifest!, decision);
  expect(await only(of)).toMatchObject({ check: 'jobs', state: 'ok' });
});

it.each<[string, () => Promise<AgentConfig>, string, RegExp, RegExp]>([
  [
    'an operator that cannot be trained',
    () => offered(training(strange), strange),
    'failed',
    /cannot train its model: .*Sinh/,
    /Refuse the job/,
  ],
  [
    'a loss that does not fit the model',
    () => offered(training(good, classes, three), good),
    'failed',
    /the loss softmax-cross-entropy does not fit its model/,
    /Refuse the job/,
  ],
  [
    'a model that is not here, while nobody answers',
    () => offered(training(good)),
    'warning',
    /cannot be fetched: transport\/unreachable/,
    /run doctor again/,
  ],
  [
    'a model with other bytes than the manifest names',
    async () => {
      const of = await offered(training(good));
      await writeFile(join(of.state, 'blobs', hex(sha256(good))), 'x');
      return of;
    },
    'failed',
    /is not the one that the manifest names/,
    /fsck/,
  ],
  [
    'more parameters than the policy allows',
    async () => ({ ...(await offered(training(good), good)), policy: { ...config.policy, maxParameters: 1 } }),
    'failed',
    /policy\.maxParameters is 1/,
    /./,
  ],
  [
    'a model with too many bytes',
    async () => ({ ...(await offered(training(good))), policy: { ...config.policy, maxModelBytes: 1 } }),
    'failed',
    /policy\.maxModelBytes is 1/,
    /./,
  ],
  [
    'a budget that its noise does not protect',
    async () => ({ ...(await offered(withNoise(), good)), policy: withBudget('silo') }),
    'failed',
    /plan\/without-noise: its noise protects each record, which says nothing of each silo/,
    /policy explain training/,
  ],
  [
    'a data set that is not there',
    async () => ({ ...(await offered(training(good), good)), dataSets: {} }),
    'failed',
    /agent\/no-data-set/,
    /policy explain training/,
  ],
])('names %s, and what to do', async (_what, make, state, what, remedy) => {
  const finding = await only(await make());
  expect(finding.state).toBe(state);
  expect(finding.found).toMatch(what);
  expect(finding.remedy).toMatch(remedy);
});

it('compares clocks, and says which of the two is behind', () => {
  const now = Date.now();
  expect(compareClocks(now + 20_000, 'the coordinator’s', now)).toMatchObject({ state: 'ok' });
  expect(compareClocks(now + 100_000, 'the coordinator’s', now)).toMatchObject({
    state: 'warning',
    found: expect.stringMatching(/^100 s behind the coordinator’s$/) as string,
  });
  expect(compareClocks(now - 400_000, 'the database’s', now)).toMatchObject({
    state: 'failed',
    found: expect.stringMatching(/^400 s ahead of the database’s$/) as string,
  });
});

it('finds a clock that stands before what was written by it, where nobody can be asked', async () => {
  const state = temporaryFolder();
  await mkdir(join(state, 'journal'));
  await writeFile(join(state, 'journal', 'data.mdb'), 'x');
  expect(await checkOwnClock(state)).toMatchObject({
    state: 'warning',
    remedy: expect.stringContaining('chronyc') as string,
  });
  const later = Date.now() / 1000 + 3_600;
  await utimes(join(state, 'journal', 'data.mdb'), later, later);
  expect(await checkOwnClock(state)).toMatchObject({
    state: 'failed',
    found: expect.stringContaining('was written at') as string,
  });
  expect(await checkOwnClock(join(state, 'none'))).toMatchObject({ state: 'warning' });
});

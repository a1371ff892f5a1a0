// A job that masks along a k-regular graph (docs/protocol.md §2.10) as real processes: a silo dies after it has dealt its shares, its
// neighbours open the masks it left behind, and all others verify the sum.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { hex } from '../../src/base/index.js';
import { graphParameters } from '../../src/privacy/index.js';
import { JobState, type Job, type Round } from '../../src/wire/index.js';
import { Consortium } from '../support/e2e/consortium.js';
import { TIMEOUTS, trainingFile, trainingManifest } from '../support/e2e/jobs.js';
import { foldSilo } from '../support/e2e/journals.js';
import { endOf, eventually } from '../support/e2e/processes.js';
import { RANGES } from '../support/e2e/records.js';
import { logisticRegression } from '../support/onnx-models.js';

const SILOS = 7;
const MALICIOUS = 1;
const ABSENT = 1;
let consortium: Consortium;
let doomed: string;
let job: Job;
let rounds: Round[];

beforeAll(async () => {
  consortium = await Consortium.found({ silos: SILOS });
  const { silos, roster } = consortium.founded;
  doomed = silos[3]!;
  await consortium.startCoordinator();
  await consortium.prepareClients();
  for (const silo of silos) await consortium.configureAgent({ silo, graph: 'regular' });
  for (const silo of silos) if (silo !== doomed) consortium.startAgent(silo);
  const dying = consortium.startAgent(doomed, 'silo.before-upload');
  const model = logisticRegression(RANGES.length);
  await consortium.putBlob(model);
  const graph = { kind: 'regular', absent: ABSENT } as const;
  const timeouts = { ...TIMEOUTS, absentAfterMs: 1_500, graceMs: 500 };
  const terms = { timeouts, rounds: 1, maxMalicious: MALICIOUS, minCohort: SILOS, graph };
  const manifest = await consortium.offer(
    trainingManifest(trainingFile('training', silos, terms), roster.hash, model).manifest,
  );
  await consortium.approve(manifest, silos);
  await endOf(dying, `${doomed} in its first round`, () => consortium.tail(doomed));
  await eventually(
    'the sum of the others',
    async () => (await consortium.rounds('training')).some(({ survivors }) => survivors.length > 0),
    { why: () => consortium.tail('coordinator') },
  );
  consortium.startAgent(doomed);
  job = await consortium.finished('training');
  rounds = await consortium.acknowledgedRounds('training');
}, 180_000);

afterAll(() => consortium.close());

it('opens the sum of the others when a silo dies in mid-round', () => {
  expect(job.state).toBe(JobState.JOB_STATE_COMPLETED);
  const [first] = rounds;
  expect(first!.cohort).toHaveLength(SILOS);
  expect(first!.survivors).toEqual(first!.cohort.filter((silo) => silo !== doomed));
});

it('has each silo mask with fewer than all others, and all come to the same model', async () => {
  const { degree } = graphParameters(SILOS, MALICIOUS, ABSENT)!;
  expect(degree).toBeLessThan(SILOS - 1);
  await consortium.toldOfEnd('training', consortium.silos);
  await consortium.stopPrograms();
  for (const silo of consortium.silos) {
    const { jobs, openings } = await foldSilo(consortium.founded, silo);
    const own = [...jobs.values()].find(({ manifest }) => manifest.jobId === 'training');
    expect(hex(own!.modelHash), silo).toBe(hex(job.modelHash));
    for (const { graph } of [...openings.values()].flat()) expect(graph, silo).toMatchObject({ degree });
  }
});

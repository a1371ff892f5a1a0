// A silo that is away for rounds on end: the others go on, and when it is back it verifies every round that it missed, in order, before
// it takes part again (docs/protocol.md §2.4).

import { afterAll, beforeAll, expect, it } from 'vitest';
import { hex } from '../../src/base/index.js';
import { JobState, Phase, type Job, type Round } from '../../src/wire/index.js';
import { Consortium } from '../support/e2e/consortium.js';
import { TIMEOUTS, trainingFile, trainingManifest } from '../support/e2e/jobs.js';
import { foldSilo } from '../support/e2e/journals.js';
import { endOf, eventually } from '../support/e2e/processes.js';
import { RANGES } from '../support/e2e/records.js';
import { logisticRegression } from '../support/onnx-models.js';

const ROUNDS = 4;
let consortium: Consortium;
let away: string;
let job: Job;
let rounds: Round[];

beforeAll(async () => {
  consortium = await Consortium.found({ silos: 4 });
  const { silos, roster } = consortium.founded;
  away = silos[3]!;
  await consortium.start(silos.slice(0, 3));
  // Dies in its first round, with its keys in it and without its input.
  const doomed = consortium.startAgent(away, 'silo.before-upload');
  const model = logisticRegression(RANGES.length);
  await consortium.putBlob(model);
  const timeouts = { ...TIMEOUTS, absentAfterMs: 1_500, graceMs: 500 };
  const file = trainingFile('training', silos, { rounds: ROUNDS, minCohort: 3, timeouts });
  const manifest = await consortium.offer(trainingManifest(file, roster.hash, model).manifest);
  // The first round takes whoever has approved some time after the offer, so the one that matters goes first.
  await consortium.approve(manifest, [away]);
  await eventually('the approval at the coordinator', async () => {
    const known = await consortium.client.getJob({ jobId: 'training' });
    return known.job!.approvedBy.includes(away);
  });
  await consortium.approve(manifest, silos.slice(0, 3));
  await endOf(doomed, `${away} in its first round`, () => consortium.tail(away));
  job = await consortium.finished('training');
  rounds = await consortium.rounds('training');
  consortium.startAgent(away);
});

afterAll(() => consortium.close());

/** All of them, unless the first began before everybody had approved: a cohort of three can spare nobody, and the round is abandoned. */
const withResult = (): Round[] => rounds.filter(({ phase }) => phase !== Phase.PHASE_ABANDONED);

it('goes on without a silo that is away', () => {
  expect(job.state).toBe(JobState.JOB_STATE_COMPLETED);
  expect(rounds).toHaveLength(ROUNDS + 1);
  expect(rounds.some(({ cohort }) => cohort.includes(away))).toBe(true);
  const others = consortium.silos.slice(0, 3);
  for (const { survivors } of withResult()) expect(survivors).toEqual(others);
  // At least three rounds went by entirely without it.
  for (const { cohort } of rounds.slice(2)) expect(cohort).toEqual(others);
  expect(withResult().length).toBeGreaterThanOrEqual(ROUNDS);
});

it('lets it catch up with every round it missed, to the same model', async () => {
  await consortium.toldOfEnd('training', [away]);
  await eventually(
    'the verification of every round',
    () => consortium.log(away).filter(({ event }) => event === 'round.verified').length === withResult().length,
    { why: () => consortium.tail(away, 12) },
  );
  const verified = consortium.log(away).filter(({ event }) => event === 'round.verified');
  expect(verified.map((line) => line['round'])).toEqual(withResult().map(({ round }) => round));
  await consortium.stopPrograms();
  const { jobs } = await foldSilo(consortium.founded, away);
  const [own] = jobs.values();
  expect(hex(own!.modelHash)).toBe(hex(job.modelHash));
});

// Differential privacy with real programs: three silos train by DP-SGD with records and with patients as the unit, and with noise under the
// mask on rotated vectors, which protects each of them whole, and sum statistics with noise; the model moves, and the agent's own commands say what it has cost.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { initialParameters, parametersIn, readForwardModel } from '../../src/model/index.js';
import { JobState, Outcome, type Job, type Round } from '../../src/wire/index.js';
import { Consortium } from '../support/e2e/consortium.js';
import { statisticsFile, statisticsManifest, trainingFile, trainingManifest } from '../support/e2e/jobs.js';
import { endOf, startProgram } from '../support/e2e/processes.js';
import { multiLayerPerceptron } from '../support/onnx-models.js';
import { DATA_SET } from '../support/e2e/records.js';
import { gathered } from '../support/transport.js';

const ONNX = multiLayerPerceptron([3, 8, 1], 5);
const ROUNDS = 2;
const PATIENTS = 20;
/** Each job has one of its own, so that no charge counts for two of them. */
const DATA_SETS = { records: DATA_SET, patients: 'visits', hospitals: 'stays' } as const;
let consortium: Consortium;
const jobs = new Map<string, { readonly job: Job; readonly rounds: readonly Round[]; readonly epsilon: number }>();

beforeAll(async () => {
  consortium = await Consortium.found({ silos: 3 });
  const { silos, roster, folder } = consortium.founded;
  await consortium.start([]);
  for (const silo of silos) {
    const visits = `SELECT *, 'p' || (row_number() OVER ()) % ${PATIENTS} AS patient_id FROM '${folder}/records/${silo}.csv'`;
    const all = `SELECT * FROM '${folder}/records/${silo}.csv'`;
    await consortium.configureAgent({
      silo,
      queries: { visits, stays: all, counts: all },
    });
    consortium.startAgent(silo);
  }
  await consortium.putBlob(ONNX);
  for (const name of ['records', 'patients', 'hospitals'] as const) {
    const file = trainingFile(name, silos, { rounds: ROUNDS, evaluation: { holdoutFraction: 0 } });
    const ofPatients = name === 'patients' ? { unitColumn: 'patient_id', minUnits: PATIENTS } : {};
    const { manifest } = trainingManifest(
      {
        ...file,
        data: { ...file.data, dataSet: DATA_SETS[name] },
        training: {
          ...file.training,
          localWork: { kind: 'steps', steps: 5 },
          ...(name === 'hospitals'
            ? { weightRows: 1, privacy: { mechanism: 'skellam', noise: 2, delta: 1e-3 } }
            : { unitPrivacy: { clip: 1, noise: 1, delta: 1e-3, ...ofPatients } }),
        },
      },
      roster.hash,
      ONNX,
    );
    await consortium.approve(await consortium.offer(manifest));
    const job = await consortium.finished(name);
    const rounds = await consortium.acknowledgedRounds(name);
    jobs.set(name, { job, rounds, epsilon: manifest.privacy!.epsilon });
  }
});

afterAll(() => consortium.close());

it('sums statistics with noise, and charges them to each record', async () => {
  const { silos, roster } = consortium.founded;
  const file = statisticsFile('counted', silos, {
    privacy: { mechanism: 'discrete-gaussian', epsilon: 2, delta: 1e-3 },
  });
  const manifest = statisticsManifest({ ...file, data: { ...file.data, dataSet: 'counts' } }, roster.hash);
  await consortium.approve(await consortium.offer(manifest));
  expect((await consortium.finished('counted')).state).toBe(JobState.JOB_STATE_COMPLETED);
  const [round] = await consortium.acknowledgedRounds('counted');
  expect([round!.outcome, round!.acknowledgedBy]).toEqual([Outcome.OUTCOME_APPLIED, silos]);
  const config = consortium.founded.at(`${silos[0]!}.yaml`);
  const shown = (name: string, ...args: string[]): Promise<{ stdout: string }> =>
    endOf(startProgram('agent', [...args, '--config', config]), name);
  const { stdout } = await shown('ledger show', 'ledger', 'show', '--delta', '0.001');
  const epsilon = manifest.privacy!.epsilon.toPrecision(4);
  expect(stdout).toContain(`epsilon ${epsilon} at delta 0.001 for each record in 1 round with noise`);
  expect(stdout).toMatch(/counted +1 +1 +record +discrete-gaussian/);
  expect((await shown('job show', 'job', 'show', 'counted')).stdout).toContain('In zero-concentrated terms: rho ');
});

it.each(['records', 'patients', 'hospitals'])(
  'opens and applies every round of a job whose unit are %s',
  async (name) => {
    const { job, rounds } = jobs.get(name)!;
    expect(job.state).toBe(JobState.JOB_STATE_COMPLETED);
    expect(rounds.map(({ outcome }) => outcome)).toEqual(Array.from({ length: ROUNDS }, () => Outcome.OUTCOME_APPLIED));
    for (const { acknowledgedBy } of rounds) expect(acknowledgedBy).toEqual(consortium.silos);
    const model = readForwardModel(ONNX);
    const after = parametersIn(model, await gathered(consortium.client.exportModel({ jobId: name, state: false })));
    const moved = Math.hypot(...after.map((value, i) => value - initialParameters(model)[i]!));
    expect(moved).toBeGreaterThan(0.01);
  },
);

it('is charged to the ledger of each data set, by its unit', async () => {
  const config = consortium.founded.at(`${consortium.silos[0]!}.yaml`);
  const { stdout } = await endOf(
    startProgram('agent', ['ledger', 'show', '--config', config, '--delta', '0.001']),
    'ledger show',
  );
  const spent = (name: string): string => jobs.get(name)!.epsilon.toPrecision(4);
  expect(stdout).toContain(`epsilon ${spent('records')} at delta 0.001 for each record in 2 rounds with noise`);
  expect(stdout).toContain(`epsilon ${spent('patients')} at delta 0.001 for each patient in 2 rounds with noise`);
  expect(stdout).toMatch(/hospitals +2 +2 +hospital +skellam/);
  expect(stdout).toMatch(/patients +2 +2 +patient +sampled-gaussian/);
});

it('is explained before it is approved', async () => {
  const config = consortium.founded.at(`${consortium.silos[0]!}.yaml`);
  const { stdout } = await endOf(startProgram('agent', ['job', 'show', 'patients', '--config', config]), 'job show');
  expect(stdout).toContain('The unit is one patient (all records with the same patient_id).');
  expect(stdout).toContain(`This holds from ${String(PATIENTS)} patients on`);
  expect(stdout).toContain('would bring each patient from epsilon');
  const whole = await endOf(startProgram('agent', ['job', 'show', 'hospitals', '--config', config]), 'job show');
  expect(whole.stdout).toContain('it is turned by a public rotation');
  expect(whole.stdout).toContain('The unit is this hospital with all its records.');
});

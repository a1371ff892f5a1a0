// An operator keeps a silo out and ends a job, with real programs: streams are cut at once, the agent comes back by itself when it is
// let in again, and silos let go of the job when they are shown the order.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { SigningKey } from '../../src/crypto/index.js';
import { readSigningKey } from '../../src/pki/index.js';
import { seal } from '../../src/protocol/index.js';
import { JobState, Order } from '../../src/wire/index.js';
import { Consortium } from '../support/e2e/consortium.js';
import { OPERATOR } from '../support/e2e/founding.js';
import { trainingFile, trainingManifest } from '../support/e2e/jobs.js';
import { foldSilo } from '../support/e2e/journals.js';
import { eventually } from '../support/e2e/processes.js';
import { RANGES } from '../support/e2e/records.js';
import { logisticRegression } from '../support/onnx-models.js';

let consortium: Consortium;

beforeAll(async () => {
  consortium = await Consortium.found({ silos: 4 });
  await consortium.start();
});

afterAll(() => consortium.close());

async function order(action: NonNullable<Order['action']>): Promise<void> {
  const { at, roster } = consortium.founded;
  const { seed } = await readSigningKey(at(`${OPERATOR}.key`));
  const { orders } = await consortium.client.getServerInfo();
  const message = { version: 1, rosterHash: roster.hash, number: orders + 1n, atUnixMs: 0n, reason: 'a test', action };
  const signed = seal(SigningKey.from(seed), `operator/${OPERATOR}`, 'order', Order, message);
  await consortium.client.giveOrder({ order: signed });
}

const there = async (siloId: string, connected: boolean): Promise<void> => {
  await eventually(
    `${siloId} to be ${connected ? 'there' : 'away'}`,
    async () => (await consortium.client.getSilo({ siloId })).silo?.connected === connected,
    { why: () => consortium.tail(siloId) },
  );
};

it('cuts a denied silo off, and has it back when it is allowed', async () => {
  const siloId = consortium.silos[0]!;
  await there(siloId, true);
  await order({ $case: 'denySilo', value: { siloId } });
  await there(siloId, false);
  await eventually('the reason in its log', () =>
    consortium.log(siloId).some(({ event, code }) => event === 'connection.lost' && code === 'message/denied'),
  );
  const { silo } = await consortium.client.getSilo({ siloId });
  expect(silo).toMatchObject({ agentVersion: '0.1.0', denied: { by: `operator/${OPERATOR}`, reason: 'a test' } });
  expect(silo!.certificateNotAfterUnixMs).toBeGreaterThan(BigInt(Date.now()));
  await order({ $case: 'allowSilo', value: { siloId } });
  await there(siloId, true);
});

it('ends a job for its silos', async () => {
  const { silos, roster } = consortium.founded;
  const model = logisticRegression(RANGES.length);
  await consortium.putBlob(model);
  const file = trainingFile('training', silos, { rounds: 500 });
  const made = trainingManifest(file, roster.hash, model).manifest;
  const manifest = await consortium.offer(made);
  await consortium.approve(manifest);
  await eventually('a round', async () => (await consortium.rounds('training')).length > 1);
  const { job } = await consortium.client.getJob({ jobId: 'training' });
  await order({ $case: 'abortJob', value: { jobId: 'training', manifestHash: job!.manifestHash } });
  const over = await consortium.finished('training');
  expect([over.state, over.reason]).toEqual([JobState.JOB_STATE_ENDED, `a test (operator/${OPERATOR})`]);
  await consortium.toldOfEnd('training');
  const { acts } = await consortium.client.listActs();
  expect(acts.map(({ method }) => method)).toEqual(['GiveOrder', 'GiveOrder', 'PutBlob', 'CreateJob', 'GiveOrder']);
  await consortium.stopPrograms();
  for (const silo of silos) expect([...(await foldSilo(consortium.founded, silo)).jobs.values()][0]!.ended).toBe(true);
});

// What a consortium does while its programs are killed: one statistics job, then a training job standardised by it, again and again.

import { parseJob, readStatistics, type ColumnStatistics } from '../../src/job/index.js';
import { openManifest } from '../../src/protocol/index.js';
import { JobState, type Envelope, type Job } from '../../src/wire/index.js';
import type { Consortium } from '../support/e2e/consortium.js';
import { statisticsFile, statisticsManifest, trainingFile, trainingManifest } from '../support/e2e/jobs.js';
import { pause } from '../support/e2e/processes.js';
import { RANGES } from '../support/e2e/records.js';
import { logisticRegression } from '../support/onnx-models.js';

/** Nobody is given up however often a program dies: what a round loses here it loses by a fault of ours. */
const TIMEOUTS = {
  advertiseMs: 600_000,
  shareMs: 600_000,
  maskMs: 600_000,
  confirmMs: 600_000,
  unmaskMs: 600_000,
  absentAfterMs: 300_000,
  graceMs: 300_000,
};

export const PATIENCE_MS = 240_000;

export interface DoneJob {
  readonly manifest: Envelope;
  readonly job: Job;
}

/** Jobs `sums-N` and, with `train`, `training-N`. Rejects when one of them is not completed. */
export async function runJobs(consortium: Consortium, number: number, train = true): Promise<DoneJob[]> {
  const { roster, silos } = consortium.founded;
  const shape = { timeouts: TIMEOUTS };
  const name = `sums-${number}`;
  const sums = await runJob(consortium, () =>
    consortium.offer(statisticsManifest(statisticsFile(name, silos, shape), roster.hash)),
  );
  if (!train) return [sums];
  const model = logisticRegression(RANGES.length);
  await persistently(() => consortium.putBlob(model));
  const file = trainingFile(`training-${number}`, silos, {
    ...shape,
    rounds: 1,
    model: { file: 'model.onnx', standardiseBy: name },
  });
  const source = { statistics: await statisticsOf(consortium, sums), resultHash: sums.job.lastResultHash };
  const { manifest } = trainingManifest(file, roster.hash, model, source);
  return [sums, await runJob(consortium, () => consortium.offer(manifest))];
}

async function runJob(consortium: Consortium, offer: () => Promise<Envelope>): Promise<DoneJob> {
  const manifest = await persistently(offer);
  const { jobId } = openManifest(consortium.founded.roster, manifest);
  await Promise.all(consortium.silos.map((silo) => patiently(() => consortium.decide(silo, manifest))));
  const job = await consortium.finished(jobId, PATIENCE_MS);
  if (job.state !== JobState.JOB_STATE_COMPLETED) throw new Error(`job ${jobId} ended in state ${job.state}`);
  return { manifest, job };
}

async function statisticsOf(consortium: Consortium, { manifest, job }: DoneJob): Promise<ColumnStatistics> {
  const { layout, message } = openManifest(consortium.founded.roster, manifest);
  const bytes = await persistently(async () => {
    const parts: Uint8Array[] = [];
    for await (const part of consortium.client.exportSum({ jobId: job.jobId, round: 1 })) parts.push(part);
    return Buffer.concat(parts);
  });
  const values = new Int32Array(Uint8Array.from(bytes).buffer);
  return readStatistics({ layout, values }, parseJob(message).contract, consortium.silos.length);
}

/** A coordinator that dies in the middle of a stream is asked again. */
async function persistently<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      const passing = error instanceof Error && 'category' in error && error.category === 'unavailable';
      if (!passing || tries === 100) throw error;
      await pause(100);
    }
  }
}

/** The state folder of an agent that has never lived to make it appears when it is started again. */
async function patiently(decide: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await decide();
      return;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'agent/already-decided') return;
      if (tries === 5) throw error;
      await pause(500);
    }
  }
}

// What must be true of a consortium whose programs were killed, however often and wherever: everything here reads what is on the disks.

import { JobState } from '../../src/wire/index.js';
import { equalEnvelopes } from '../../src/protocol/index.js';
import type { Consortium } from '../support/e2e/consortium.js';
import {
  chargesOf,
  coordinatorRecords,
  exchangeOf,
  foldCoordinator,
  foldSilo,
  problemsOf,
  siloRecords,
  type Charges,
} from '../support/e2e/journals.js';
import { endOf, startProgram } from '../support/e2e/processes.js';
import { wrongSums } from '../support/e2e/sums.js';
import type { DoneJob } from './jobs.js';

/** Of a running consortium: each job completed, each round in one attempt with everybody in it and acknowledged by all, each sum exact. */
export async function wrongRounds(consortium: Consortium, jobs: readonly DoneJob[]): Promise<string[]> {
  const wrong: string[] = [];
  for (const { job, manifest } of jobs) {
    const { jobId } = job;
    if (job.state !== JobState.JOB_STATE_COMPLETED) wrong.push(`${jobId} is in state ${job.state}`);
    for (const round of await consortium.rounds(jobId)) {
      const place = `${jobId} round ${round.round}`;
      if (round.attempt !== 1) wrong.push(`${place} needed attempt ${round.attempt}`);
      for (const [what, silos] of Object.entries({ survivors: round.survivors, acks: round.acknowledgedBy }))
        if (silos.join() !== consortium.silos.join()) wrong.push(`${place} has ${what} ${silos.join()}`);
      if (round.disputedBy.length > 0) wrong.push(`${place} is disputed by ${round.disputedBy.join()}`);
    }
    if (jobId.startsWith('sums'))
      wrong.push(...(await wrongSums(consortium, manifest)).map((one) => `${jobId}: ${one}`));
  }
  return wrong;
}

/** Of a stopped consortium: journals fold to what was sent, one message in each place, nothing acknowledged lost, fsck finds all whole. */
export async function wrongDisks(consortium: Consortium): Promise<string[]> {
  const { founded, silos } = consortium;
  const wrong: string[] = [];
  for (const name of ['coordinator', ...silos]) wrong.push(...(await problemsOf(founded, name)));
  await foldCoordinator(founded);
  const records = await coordinatorRecords(founded);
  const given = records.flatMap(({ emitted }) => emitted);
  for (const silo of silos) {
    await foldSilo(founded, silo);
    const { foreign, doubled } = await exchangeOf(founded, silo);
    wrong.push(...foreign.map((one) => `the coordinator holds a message that ${silo} never sent: ${one}`));
    wrong.push(...doubled.map((one) => `${silo} sent two different messages in one place: ${one}`));
    for (const { event } of await siloRecords(founded, silo))
      if (event?.$case === 'receiptReceived' && !given.some((one) => equalEnvelopes(one, event.value.receipt!)))
        wrong.push(`the coordinator has forgotten a receipt that it gave to ${silo}`);
  }
  for (const silo of silos) wrong.push(...wrongCharges(silo, await chargesOf(founded, silo)));
  for (const name of ['coordinator', ...silos]) wrong.push(...(await wrongFsck(consortium, name)));
  return wrong;
}

/** What left a silo is charged, once for each round, and counted through to the log without gaps: never twice, never less. To be asked
 * when every round is acknowledged, for a charge is told with the Ack of its round. */
export function wrongCharges(silo: string, { ledger, left, told }: Charges): string[] {
  const charged = Object.values(ledger).reduce((sum, rounds) => sum + rounds, 0);
  const wrong: string[] = [];
  if (charged !== left) wrong.push(`${silo} is charged ${charged} rounds, and inputs of ${left} have left it`);
  if (told.some((count, k) => count !== k + 1) || told.length !== charged)
    wrong.push(`${silo} is charged ${charged} rounds and has told of ${told.join(', ') || 'none'}`);
  return wrong;
}

/** The operator's own command. */
async function wrongFsck(consortium: Consortium, name: string): Promise<string[]> {
  const program = name === 'coordinator' ? 'coordinator' : 'agent';
  const running = startProgram(program, ['fsck', '--config', consortium.founded.at(`${name}.yaml`)]);
  const { code, stdout, stderr } = await endOf(running, `fsck of ${name}`);
  return code === 0 ? [] : [`fsck of ${name} ended with ${code}: ${stdout}${stderr}`];
}

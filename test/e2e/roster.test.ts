// The members of a consortium remove one of them while a job runs, with real programs and the commands that operators type: the silo is cut
// off at once, the others go on without it, and what an auditor exports afterwards verifies from the pinned roster alone.

import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hex } from '../../src/base/index.js';
import { JobState } from '../../src/wire/index.js';
import { Consortium } from '../support/e2e/consortium.js';
import { CONSORTIUM, OPERATOR } from '../support/e2e/founding.js';
import { TIMEOUTS, trainingFile, trainingManifest } from '../support/e2e/jobs.js';
import { eventually, startProgram, type Program } from '../support/e2e/processes.js';
import { RANGES } from '../support/e2e/records.js';
import { logisticRegression } from '../support/onnx-models.js';

let consortium: Consortium;

beforeAll(async () => {
  consortium = await Consortium.found({ silos: 5 });
  await consortium.start();
});

afterAll(() => consortium.close());

async function run(program: Program, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await startProgram(program, args).ended;
  expect(`${stdout}${stderr}`, `${program} ${args.join(' ')}`).toSatisfy(() => code === 0);
  return stdout;
}

const roster = (silo: string, ...args: string[]): Promise<string> =>
  run('agent', 'roster', ...args, '--config', consortium.founded.at(`${silo}.yaml`));

interface Shown {
  readonly epoch: number;
  readonly signed: string | null;
  readonly proposals: readonly {
    readonly hash: string;
    readonly removed: readonly string[];
    readonly signedBy: readonly string[];
  }[];
}

const show = async (silo: string): Promise<Shown> => JSON.parse(await roster(silo, 'show', '--json')) as Shown;

const logged = (silo: string, event: string): Promise<unknown> =>
  eventually(`${event} in ${silo}`, () => consortium.log(silo).some((line) => line.event === event), {
    why: () => consortium.tail(silo),
  });

it('goes on without a silo that a quorum of the others has removed', { timeout: 240_000 }, async () => {
  const { silos, at, roster: pinned } = consortium.founded;
  const [proposer, ...others] = silos.slice(0, 4);
  const evicted = silos[4]!;
  const model = logisticRegression(RANGES.length);
  await consortium.putBlob(model);
  const file = trainingFile('training', silos, {
    rounds: 8,
    minCohort: 4,
    // The round that is open when it goes must not wait long for it.
    timeouts: { ...TIMEOUTS, absentAfterMs: 1_500, graceMs: 1_500 },
    description: 'a job that outlives a member',
  });
  expect(await roster(proposer!, 'propose', '--evict', evicted, '--reason', 'its disk was stolen')).toMatch(
    new RegExp(`removes ${evicted}\\.\n1 of 5 members`),
  );
  for (const silo of others) await logged(silo, 'roster.proposed');
  const { hash } = (await show(others[0]!)).proposals[0]!;
  const signs = (silo: string): Promise<string> => roster(silo, 'sign', hash.slice(0, 16), '--reason', 'agreed');
  await Promise.all(others.slice(1).map(signs));

  const manifest = await consortium.offer(trainingManifest(file, pinned.hash, model).manifest);
  await consortium.approve(manifest);
  await eventually('a round', async () => (await consortium.rounds('training')).length > 1);
  // The signature that completes the quorum.
  expect(await signs(others[0]!)).toMatch(new RegExp(`removes ${evicted}`));
  await eventually(
    `the end of ${evicted} in its log`,
    () => consortium.log(evicted).some(({ code }) => code === 'coordinator/not-a-member'),
    { why: () => consortium.tail(evicted) },
  );
  for (const silo of silos.slice(0, 4)) await logged(silo, 'roster.in-force');
  expect(await roster(proposer!, 'show')).toMatch(
    new RegExp(`Epoch 1 removes ${evicted}; signed by .*\n.*its disk was stolen`),
  );
  const over = await consortium.finished('training', 90_000);
  expect(over.state, over.reason).toBe(JobState.JOB_STATE_COMPLETED);
  await consortium.toldOfEnd('training', silos.slice(0, 4));
  const rounds = await consortium.rounds('training');
  expect(rounds[0]!.cohort).toContain(evicted);
  expect(rounds.at(-1)!.cohort).toEqual(silos.slice(0, 4));

  const { rosterEpoch, successors } = await consortium.client.getServerInfo();
  expect([rosterEpoch, successors.length]).toEqual([1n, 1]);
  await writeFile(
    at('operator.yaml'),
    `consortium: ${CONSORTIUM}
coordinator: { address: '${consortium.address}' }
tls: { bundle: ${OPERATOR}.tls.pem, ca: ca.pem }
roster: { file: roster.bin, hash: ${hex(pinned.hash)} }
`,
  );
  await run('audit', 'export', 'training', '--out', at('training.bundle'), '--config', at('operator.yaml'));
  const verdict = await run('audit', 'verify', at('training.bundle'), '--roster-hash', hex(pinned.hash));
  expect(verdict).toMatch(/PASS/);
  expect(verdict).toMatch(new RegExp(`epoch 1 of the roster from entry \\d+ on: without ${evicted}`));
});

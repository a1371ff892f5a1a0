// Three coordinators on one PostgreSQL behind one address, with real agents and mutual TLS. Two die in the middle of one round, in turn; the
// third ends it. Then the one that leads is stopped, loses the lease, and can write nothing when it wakes.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JobState, type Envelope } from '../../src/wire/index.js';
import { Consortium } from '../support/e2e/consortium.js';
import { statisticsFile, statisticsManifest } from '../support/e2e/jobs.js';
import { exchangeOf, problemsOf } from '../support/e2e/journals.js';
import { endOf, eventually, startProgram } from '../support/e2e/processes.js';
import { Coordinators } from '../support/e2e/several.js';
import { wrongSums } from '../support/e2e/sums.js';
import { hasPostgres, PostgresServer } from '../support/postgres.js';

const LONG_MS = 120_000;

describe.skipIf(!hasPostgres())('three coordinators on one database', () => {
  let server: PostgresServer;
  let consortium: Consortium;
  let coordinators: Coordinators;
  const deaths: string[] = [];
  const manifests = new Map<string, Envelope>();

  const command = async (...args: string[]) => startProgram('coordinator', args).ended;

  async function complete(job: string): Promise<void> {
    const { roster, silos } = consortium.founded;
    const manifest = await consortium.offer(statisticsManifest(statisticsFile(job, silos), roster.hash));
    manifests.set(job, manifest);
    await consortium.approve(manifest);
    const { state } = await consortium.finished(job, LONG_MS).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${coordinators.tails()}`);
    });
    expect(state).toBe(JobState.JOB_STATE_COMPLETED);
    const rounds = await consortium.acknowledgedRounds(job, LONG_MS);
    expect(rounds.map(({ survivors }) => survivors)).toEqual([silos]);
    expect(await wrongSums(consortium, manifest)).toEqual([]);
  }

  beforeAll(async () => {
    server = await PostgresServer.start();
    consortium = await Consortium.found({ silos: 4 });
    await consortium.takePort();
    coordinators = await Coordinators.behind(consortium.port, consortium.founded, server);
    // The first leads. The other two would die when they have computed a sum, which only the one that leads then does.
    await coordinators.start('first', 'coordinator.after-persist.phaseClosed@2');
    for (const name of ['second', 'third']) await coordinators.start(name, 'coordinator.after-persist.sumComputed');
    for (const [name, { ended }] of coordinators.running)
      void ended.then(({ signal }) => {
        if (signal === 'SIGKILL') deaths.push(name);
      });
    await consortium.prepareClients();
    for (const silo of consortium.silos) consortium.startAgent(silo);
  });

  afterAll(async () => {
    await consortium.stopPrograms();
    await coordinators.close();
    await consortium.close();
    await server.stop();
  });

  it(
    'end a round exactly whose leaders are killed twice in its middle',
    async () => {
      await complete('killed');
      expect(deaths).toHaveLength(2);
      expect(deaths[0]).toBe('first');
      const [round] = await consortium.rounds('killed');
      expect(round?.attempt).toBe(1);
    },
    3 * LONG_MS,
  );

  it('make the sum of what each of them has added up', () => {
    const second = coordinators.log(deaths[1]!).filter(({ event }) => event === 'sum.combined');
    expect(second).toMatchObject([{ inputs: 4 }]);
    expect(Number(second[0]?.['fromOthers'])).toBeGreaterThan(0);
  });

  it(
    'leave one that was stopped behind: it wakes, can write nothing, and ends',
    async () => {
      const survivor = coordinators.leader()!;
      await coordinators.start('first');
      await coordinators.start('fourth');
      const stopped = coordinators.running.get(survivor)!;
      coordinators.stop(survivor);
      await eventually('a takeover', () => coordinators.leader() !== survivor, {
        ms: LONG_MS,
        why: () => coordinators.tails(),
      });
      await complete('stopped');
      stopped.child.kill('SIGCONT');
      const { code } = await endOf(stopped, survivor, () => coordinators.tails());
      expect(code).toBe(3);
      expect(coordinators.log(survivor).at(-1)?.event).toBe('lease.lost');
    },
    3 * LONG_MS,
  );

  it(
    'keep one journal and one log that are whole and hold all that silos sent',
    async () => {
      for (const job of manifests.keys()) await consortium.toldOfEnd(job);
      const { at, silos } = consortium.founded;
      await consortium.stopPrograms();
      // The server of the test does not sync what it commits, and doctor says that this is no way to run one.
      const looked = await command('doctor', '--config', coordinators.config('first'));
      expect(looked.stdout).toMatch(/database\s.*fsync, full_page_writes is off, so a commit may be lost/);
      expect(looked.stdout).toMatch(/pieces\s.*uploads and objects lie in the database/);
      expect(await command('backup', '--config', coordinators.config(deaths[1]!), '--out', at('early'))).toMatchObject({
        code: 4,
        stderr: expect.stringContaining('storage/lease-held') as string,
      });
      const { running } = coordinators;
      for (const name of ['first', 'fourth']) running.get(name)!.child.kill('SIGTERM');
      for (const name of ['first', 'fourth']) expect((await endOf(running.get(name)!, name)).code).toBe(0);
      for (const name of ['first', 'fourth']) {
        const checked = await command('fsck', '--config', coordinators.config(name));
        expect(checked).toMatchObject({ code: 0, stderr: '' });
        expect(checked.stdout).toContain('job stopped: completed, 1 rounds closed');
      }
      // Back to files: from there every message can be compared with what the silos' own journals say they sent.
      const copy = at('copy');
      expect(await command('backup', '--config', coordinators.config('first'), '--out', copy)).toMatchObject({
        code: 0,
      });
      const alone = at('coordinator.yaml');
      expect(await command('restore', '--config', alone, '--from', copy)).toMatchObject({ code: 0, stderr: '' });
      expect(await command('fsck', '--config', alone)).toMatchObject({ code: 0, stderr: '' });
      for (const name of ['coordinator', ...silos]) expect(await problemsOf(consortium.founded, name)).toEqual([]);
      for (const silo of silos) {
        const { accepted, foreign, doubled } = await exchangeOf(consortium.founded, silo);
        const types = accepted.map(({ type }) => type);
        expect(types.filter((type) => type === 'masked-header')).toHaveLength(2);
        expect({ foreign, doubled }).toEqual({ foreign: [], doubled: [] });
      }
    },
    3 * LONG_MS,
  );
});

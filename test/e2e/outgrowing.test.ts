// A consortium outgrows one machine: what a coordinator has kept in files moves into PostgreSQL, two take its place behind a balancer that
// passes TLS through, and its agents notice nothing. Then everything that may happen to several: connections that are cut and given away
// anew, a database that goes away in the middle of a round, an order at one for a silo at the other, a member that is removed. All of it is
// traced to one collector.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isCodedError } from '../../src/base/index.js';
import { SigningKey } from '../../src/crypto/index.js';
import { readBundle, readSigningKey } from '../../src/pki/index.js';
import { seal } from '../../src/protocol/index.js';
import { systemClock, systemRng } from '../../src/system/index.js';
import { connectAdmin } from '../../src/transport/index.js';
import { JobState, Order, type Round } from '../../src/wire/index.js';
import { startCollector, type Collector } from '../support/collector.js';
import { Consortium } from '../support/e2e/consortium.js';
import { CONSORTIUM, OPERATOR } from '../support/e2e/founding.js';
import { statisticsFile, statisticsManifest, TIMEOUTS, trainingFile, trainingManifest } from '../support/e2e/jobs.js';
import { endOf, eventually, startProgram, type Program } from '../support/e2e/processes.js';
import { RANGES } from '../support/e2e/records.js';
import { Coordinators } from '../support/e2e/several.js';
import { logisticRegression } from '../support/onnx-models.js';
import { hasPostgres, PostgresServer } from '../support/postgres.js';

const LONG_MS = 120_000;
const NAMES = ['first', 'second'];

describe.skipIf(!hasPostgres())('a consortium that outgrows one machine', () => {
  let server: PostgresServer;
  let collector: Collector;
  let consortium: Consortium;
  let coordinators: Coordinators;

  beforeAll(async () => {
    [server, collector, consortium] = await Promise.all([
      PostgresServer.start(),
      startCollector(),
      Consortium.found({ silos: 4 }),
    ]);
    await consortium.startCoordinator();
    await consortium.prepareClients();
    for (const silo of consortium.silos) {
      await consortium.configureAgent({ silo, extra: `traces: { endpoint: '${collector.url}' }\n` });
      consortium.startAgent(silo);
    }
  });

  afterAll(async () => {
    await consortium.stopPrograms();
    await coordinators.close();
    await consortium.close();
    await Promise.all([collector.close(), server.stop()]);
  });

  async function run(program: Program, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await startProgram(program, args).ended;
    expect(`${stdout}${stderr}`, `${program} ${args.join(' ')}`).toSatisfy(() => code === 0);
    return stdout;
  }

  const rounds = async (): Promise<Round[]> =>
    (await consortium.client.listRounds({ jobId: 'training', pageSize: 1_000, pageToken: '' })).rounds;
  const why = (): string => coordinators.tails();
  const closed = async (): Promise<number> => (await rounds()).filter(({ endedUnixMs }) => endedUnixMs > 0n).length;
  const more = async (count: number): Promise<void> => {
    const before = await closed();
    await eventually(`${count} more rounds`, async () => (await closed()) >= before + count, { ms: LONG_MS, why });
  };
  const said = (silo: string, what: string, field = 'code'): number =>
    consortium.log(silo).filter((line) => line[field] === what).length;

  /** Whether an object that the operator uploads is said to be stored before they give up; nothing else than that may come in its place. */
  async function acknowledged(object: Buffer, patienceMs: number): Promise<boolean> {
    const pieces = async function* (): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(object);
    };
    try {
      const { blob } = await consortium.client.putBlob(pieces, AbortSignal.timeout(patienceMs));
      expect(blob?.size).toBe(BigInt(object.length));
      return true;
    } catch (error) {
      expect(isCodedError(error) && error.category).toBe('unavailable');
      return false;
    }
  }

  /** By the operator, at one coordinator. */
  async function order(at: string, action: NonNullable<Order['action']>): Promise<void> {
    const { founded } = consortium;
    const client = connectAdmin({
      address: coordinators.address(at),
      tls: { ...(await readBundle(founded.at(`${OPERATOR}.tls.pem`))), authorityPem: founded.authorityPem },
      consortium: CONSORTIUM,
      clock: systemClock,
      rng: systemRng,
    });
    const { seed } = await readSigningKey(founded.at(`${OPERATOR}.key`));
    const { orders } = await client.getServerInfo();
    const { hash: rosterHash } = founded.roster;
    const message = { version: 1, rosterHash, number: orders + 1n, atUnixMs: 0n, reason: 'a test', action };
    await client.giveOrder({ order: seal(SigningKey.from(seed), `operator/${OPERATOR}`, 'order', Order, message) });
    client.close();
  }

  it('moves from files into PostgreSQL, with everything that was acknowledged, and silos notice nothing', async () => {
    const { roster, silos, at } = consortium.founded;
    const manifest = await consortium.offer(statisticsManifest(statisticsFile('before', silos), roster.hash));
    await consortium.approve(manifest);
    expect((await consortium.finished('before')).state).toBe(JobState.JOB_STATE_COMPLETED);
    const [before] = await consortium.acknowledgedRounds('before');
    const alone = consortium.running('coordinator');
    alone.child.kill('SIGTERM');
    await endOf(alone, 'the coordinator that was alone');
    await run('coordinator', 'backup', '--config', at('coordinator.yaml'), '--out', at('copy'));
    const extra = `traces: { endpoint: '${collector.url}' }\n`;
    coordinators = await Coordinators.behind(consortium.port, consortium.founded, server, { leaseSeconds: 3, extra });
    await coordinators.configure('first');
    await run('coordinator', 'restore', '--config', coordinators.config('first'), '--from', at('copy'));
    expect(await run('coordinator', 'fsck', '--config', coordinators.config('first'))).toContain(
      'job before: completed, 1 rounds closed',
    );
    for (const name of NAMES) await coordinators.start(name);
    // All but who is connected at this moment.
    const [after] = await consortium.rounds('before');
    expect({ ...after, progress: [] }).toEqual({ ...before, progress: [] });
  });

  it('trains on while the balancer cuts all connections and gives them away anew', async () => {
    const { roster, silos } = consortium.founded;
    const model = logisticRegression(RANGES.length);
    await consortium.putBlob(model);
    const file = trainingFile('training', silos, {
      rounds: 900,
      minCohort: 3,
      timeouts: { ...TIMEOUTS, absentAfterMs: 1_500, graceMs: 1_500 },
    });
    const manifest = await consortium.offer(trainingManifest(file, roster.hash, model).manifest);
    // Before anybody approves it a silo can see whether its machine would train the model, which it does not have yet.
    const [silo] = silos;
    await eventually('the offer', () => said(silo!, 'job.offered', 'event') > 1, { why });
    const looked = await run('agent', 'doctor', '--config', consortium.founded.at(`${silo!}.yaml`));
    expect(looked).toMatch(/job training\s+waits for a decision; its model can be trained here: \d+ parameters/);
    expect(looked).toMatch(/clock\s+agrees with the coordinator’s/);
    await consortium.approve(manifest);
    await more(1);
    coordinators.cutAll();
    await more(1);
    for (const name of NAMES)
      await eventually(
        `a silo at ${name}`,
        () => coordinators.log(name).some(({ event }) => event === 'silo.connected'),
        { why },
      );
  });

  it('goes on with the same leader when the database was away in the middle of a round', async () => {
    const leader = coordinators.leader();
    await server.halt();
    for (const name of NAMES)
      await eventually(
        `word of it at ${name}`,
        () => coordinators.log(name).some(({ event }) => event === 'storage.away'),
        { why },
      );
    // What would be written down is not acknowledged, however long somebody waits.
    const object = Buffer.from('an object that nobody needs');
    expect(await acknowledged(object, 2_000)).toBe(false);
    await server.restart();
    for (const name of NAMES)
      await eventually(
        `relief at ${name}`,
        () =>
          coordinators.log(name).at(-1)?.event !== 'storage.away' &&
          coordinators.log(name).some(({ event }) => event === 'storage.back'),
        { why },
      );
    // The same question is answered once the database is back.
    expect(await acknowledged(object, LONG_MS)).toBe(true);
    await more(2);
    expect(coordinators.leader()).toBe(leader);
    for (const { child } of coordinators.running.values()) expect(child.exitCode).toBe(null);
  });

  it('cuts a silo off at one coordinator that was denied at the other, and has it back', async () => {
    const siloId = consortium.silos[0]!;
    const here = coordinators.of(siloId);
    expect(NAMES).toContain(here);
    const other = NAMES.find((name) => name !== here)!;
    await order(other, { $case: 'denySilo', value: { siloId } });
    await eventually('the refusal in its log', () => said(siloId, 'message/denied') > 0, {
      why: () => consortium.tail(siloId),
    });
    await order(other, { $case: 'allowSilo', value: { siloId } });
    const { length: before } = await rounds();
    const joined = async (): Promise<boolean> =>
      (await rounds()).slice(before).some(({ cohort }) => cohort.includes(siloId));
    await eventually('its return into the rounds', joined, { ms: LONG_MS, why });
  });

  it('goes on without a member that the others have removed, whichever coordinator it was at', async () => {
    const { silos, at } = consortium.founded;
    const [proposer, ...signers] = silos.slice(0, 3);
    const evicted = silos[3]!;
    const roster = (silo: string, ...args: string[]): Promise<string> =>
      run('agent', 'roster', ...args, '--reason', 'agreed', '--config', at(`${silo}.yaml`));
    await roster(proposer!, 'propose', '--evict', evicted);
    for (const silo of signers)
      await eventually('the proposal', () => consortium.log(silo).some(({ event }) => event === 'roster.proposed'));
    const [hash] = signers.map((silo) =>
      String(consortium.log(silo).find(({ event }) => event === 'roster.proposed')!['roster']),
    );
    await Promise.all(signers.map((silo) => roster(silo, 'sign', hash!)));
    await eventually('its end', () => said(evicted, 'coordinator/not-a-member') > 0, {
      why: () => consortium.tail(evicted),
    });
    // It comes back to either coordinator, and neither lets it in.
    await eventually('its end again', () => said(evicted, 'coordinator/not-a-member') > 2, {
      why: () => consortium.tail(evicted),
    });
    const left = silos.slice(0, 3).join();
    const without = async (): Promise<boolean> =>
      (await rounds()).some(({ cohort, endedUnixMs }) => cohort.join() === left && endedUnixMs > 0n);
    await eventually('a round of those who are left', without, { ms: LONG_MS, why });
  });

  it('tells a collector one trace for each round, in which every span of an agent hangs below the coordinator’s', async () => {
    await consortium.stopPrograms();
    for (const name of NAMES) {
      const running = coordinators.running.get(name)!;
      running.child.kill('SIGTERM');
      expect((await endOf(running, name, why)).code).toBe(0);
    }
    const { spans } = collector;
    const whole = spans.filter(
      ({ name, attributes }) =>
        name === 'round coordinator' &&
        attributes['veilsum.job'] === 'training' &&
        attributes['veilsum.ending'] === 'result',
    );
    expect(whole.length).toBeGreaterThan(3);
    const submits = new Set<string>();
    for (const root of whole) {
      expect(root.parentId).toBe('');
      const own = spans.filter(({ traceId }) => traceId === root.traceId);
      const byId = new Map(own.map((span) => [span.spanId, span]));
      const agents = own.filter(({ name }) => name === 'round agent');
      for (const { parentId } of agents) expect(parentId).toBe(root.spanId);
      for (const { name, parentId, service } of own) {
        if (name === 'round coordinator') continue;
        const parent = byId.get(parentId);
        // A call hangs below the phase of the agent that made it, over the wire; a phase below its own program's round.
        if (name === 'Submit') {
          expect([service, parent?.service]).toEqual(['veilsum-coordinator', 'veilsum-agent']);
          submits.add(root.traceId);
        } else if (name !== 'round agent' && service === 'veilsum-agent') expect(parent?.name).toBe('round agent');
      }
    }
    expect(submits.size).toBeGreaterThan(3);
  });
});

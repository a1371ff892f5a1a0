// What operators and auditors see and do beside jobs: orders, silos, participation, stored objects, the journal of acts.

import { describe, expect, it } from 'vitest';
import { sha256 } from '../../../src/crypto/index.js';
import { advanceCoordinator } from '../../../src/protocol/index.js';
import { unixMs } from '../../../src/base/index.js';
import {
  Artefact,
  decode,
  Envelope,
  JobState,
  Outcome,
  Phase,
  Roster,
  RoundState,
  SiloDecision,
  type ListRoundsRequest,
} from '../../../src/wire/index.js';
import { MemoryConsortium } from '../../support/memory/consortium.js';
import { sign, successorOf } from '../../support/memory/rosters.js';
import { ofJob, order, signOrder } from '../../support/memory/orders.js';
import { gathered } from '../../support/transport.js';
import { ADA, abandoned, completed, OLGA, running, stand } from './states.js';

const PAGE = { pageSize: 0, pageToken: '' };
const ROUNDS: ListRoundsRequest = {
  jobId: 'job-1',
  ...PAGE,
  state: RoundState.ROUND_STATE_UNSPECIFIED,
  outcome: Outcome.OUTCOME_UNSPECIFIED,
  firstRound: 0,
  lastRound: 0,
  fields: [],
};

describe('orders', () => {
  it('are taken from the operator who signed them, and listed with the job they are about', async () => {
    const { handlers, consortium } = running();
    const signed = signOrder(consortium.founded, { $case: 'pauseJob', value: ofJob(consortium) });
    await expect(handlers.giveOrder(OLGA, { order: signed })).resolves.toEqual({ number: 1n });
    await expect(handlers.giveOrder(OLGA, { order: signed })).resolves.toEqual({ number: 1n });
    const { job, orders } = await handlers.getJob(ADA, { jobId: 'job-1' });
    expect(job).toMatchObject({
      state: JobState.JOB_STATE_PAUSED,
      reason: 'a test wants it (operator/olga)',
      openRound: 2,
    });
    expect(orders).toEqual([signed]);
    const listed = await handlers.listOrders(ADA, PAGE);
    expect(listed.orders).toMatchObject([{ number: 1n, order: signed, takenUnixMs: BigInt(consortium.time) }]);
  });

  it('are refused without a signature, and from another operator', async () => {
    const { handlers, consortium } = running();
    const signed = signOrder(consortium.founded, { $case: 'pauseJob', value: ofJob(consortium) });
    await expect(handlers.giveOrder(OLGA, { order: undefined })).rejects.toMatchObject({ code: 'admin/no-order' });
    await expect(handlers.giveOrder({ role: 'operator', id: 'otto' }, { order: signed })).rejects.toMatchObject({
      code: 'admin/wrong-operator',
    });
    await expect(
      handlers.giveOrder(OLGA, { order: { ...signed, signature: new Uint8Array(64) } }),
    ).rejects.toMatchObject({ code: 'envelope/bad-signature' });
  });

  it('that end a watched job end the watch when the open round is closed, not before', async () => {
    const { handlers, consortium, source } = running();
    const updates: string[] = [];
    const watching = (async () => {
      for await (const { update } of handlers.watchRounds(ADA, { jobId: 'job-1' }, new AbortController().signal))
        updates.push(update?.$case === 'job' ? `job ${update.value.state}` : `round ${update?.value.phase}`);
    })();
    // It begins when the log knows that somebody watches.
    await new Promise((resolve) => setTimeout(resolve, 5));
    order(consortium, { $case: 'pauseJob', value: ofJob(consortium) });
    source.changed();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(updates.at(-1)).toBe(`job ${JobState.JOB_STATE_PAUSED}`);
    order(consortium, { $case: 'abortJob', value: ofJob(consortium) });
    source.changed();
    await watching;
    expect(updates.slice(-2)).toEqual([`round ${Phase.PHASE_ABANDONED}`, `job ${JobState.JOB_STATE_ENDED}`]);
  });
});

describe('lists', () => {
  it('of rounds are filtered by state, outcome and range', async () => {
    const numbers = async (stood: ReturnType<typeof running>, filter: Partial<ListRoundsRequest>): Promise<number[]> =>
      (await stood.handlers.listRounds(ADA, { ...ROUNDS, ...filter })).rounds.map(({ round }) => round);
    expect(await numbers(running(), { state: RoundState.ROUND_STATE_OPEN })).toEqual([2]);
    expect(await numbers(running(), { state: RoundState.ROUND_STATE_DONE })).toEqual([1]);
    expect(await numbers(abandoned(), { state: RoundState.ROUND_STATE_ABANDONED })).toEqual([1]);
    expect(await numbers(completed(), { outcome: Outcome.OUTCOME_APPLIED })).toEqual([1, 2, 3]);
    expect(await numbers(completed(), { outcome: Outcome.OUTCOME_REJECTED })).toEqual([]);
    expect(await numbers(completed(), { firstRound: 2 })).toEqual([2, 3]);
    expect(await numbers(completed(), { firstRound: 2, lastRound: 2 })).toEqual([2]);
    for (const filter of [
      { firstRound: 3, lastRound: 2 },
      { state: RoundState.UNRECOGNIZED },
      { outcome: Outcome.UNRECOGNIZED },
    ])
      await expect(numbers(completed(), filter)).rejects.toMatchObject({ code: 'admin/bad-filter' });
  });

  it('that are filtered give tokens that belong to the filter', async () => {
    const { handlers } = completed();
    const filter = { ...ROUNDS, firstRound: 2, pageSize: 1 };
    const first = await handlers.listRounds(ADA, filter);
    expect(first.rounds.map(({ round }) => round)).toEqual([2]);
    const second = await handlers.listRounds(ADA, { ...filter, pageToken: first.nextPageToken });
    expect([second.rounds.map(({ round }) => round), second.nextPageToken]).toEqual([[3], '']);
    await expect(handlers.listRounds(ADA, { ...ROUNDS, pageToken: first.nextPageToken })).rejects.toMatchObject({
      code: 'admin/bad-page',
    });
  });

  it('of jobs are filtered by state', async () => {
    const { handlers } = completed();
    const list = async (states: JobState[]) => (await handlers.listJobs(ADA, { ...PAGE, states, fields: [] })).jobs;
    expect(await list([JobState.JOB_STATE_COMPLETED])).toHaveLength(1);
    expect(await list([JobState.JOB_STATE_PAUSED, JobState.JOB_STATE_RUNNING])).toHaveLength(0);
  });

  it('give the fields that are asked for, and no others', async () => {
    const { handlers } = completed();
    const fields = ['round', 'outcome', 'new_model_hash'];
    const { rounds } = await handlers.listRounds(ADA, { ...ROUNDS, fields });
    expect(rounds[0]).toMatchObject({
      round: 1,
      outcome: Outcome.OUTCOME_APPLIED,
      cohort: [],
      progress: [],
      attempt: 0,
    });
    expect(rounds[0]!.newModelHash).toHaveLength(32);
    const answer = await handlers.getRound(ADA, { jobId: 'job-1', round: 1, fields: ['plan'] });
    expect([answer.plan?.type, answer.round, answer.acknowledgements]).toEqual(['plan', undefined, []]);
    for (const name of ['newModelHash', 'nonsense', '', 'constructor'])
      await expect(handlers.listRounds(ADA, { ...ROUNDS, fields: [name] })).rejects.toMatchObject({
        code: 'admin/bad-field',
        category: 'content',
      });
  });
});

describe('silos', () => {
  it('are listed with what they are doing, seen or not', async () => {
    const { handlers, source } = running();
    source.gone.add('silo-001' as never);
    const { silos } = await handlers.listSilos(ADA, { ...PAGE, fields: [] });
    expect(silos.map(({ siloId, connected }) => [siloId, connected])).toEqual([
      ['silo-000', true],
      ['silo-001', false],
      ['silo-002', true],
      ['silo-003', true],
    ]);
    expect(silos[0]).toMatchObject({ agentVersion: '0.1.0', certificateSerial: 'abc', denied: undefined });
    expect(silos[3]).toMatchObject({ lastSeenUnixMs: 0n, agentVersion: '' });
    const job = { jobId: 'job-1', state: JobState.JOB_STATE_RUNNING, decision: SiloDecision.SILO_DECISION_APPROVED };
    const open = { openRound: 2, phase: Phase.PHASE_MASK, roundsInCohort: 2, roundsInSum: 1 };
    expect(silos[0]!.jobs).toEqual([{ ...job, ...open, barred: '', answered: Phase.PHASE_MASK }]);
    expect(silos[1]!.jobs).toEqual([{ ...job, ...open, barred: '', answered: Phase.PHASE_SHARE }]);
  });

  it('that are denied say by whom and why, with the order', async () => {
    const { handlers, consortium } = running();
    order(consortium, { $case: 'denySilo', value: { siloId: 'silo-002' } });
    const { silo, deniedBy } = await handlers.getSilo(ADA, { siloId: 'silo-002' });
    expect(silo?.denied).toEqual({
      reason: 'a test wants it',
      by: 'operator/olga',
      sinceUnixMs: BigInt(consortium.time),
    });
    expect(deniedBy?.type).toBe('order');
    expect((await handlers.getServerInfo(ADA, { afterEpoch: 0n })).silosDenied).toBe(1);
  });

  it('that do not exist are refused', async () => {
    const { handlers } = running();
    for (const siloId of ['silo-009', '', 'No Name'])
      await expect(handlers.getSilo(ADA, { siloId })).rejects.toMatchObject({ code: 'admin/no-silo' });
  });
});

describe('participation', () => {
  const ask = { jobId: 'job-1', ...PAGE, firstRound: 0, lastRound: 0 };

  it('shows for each round the cohort, U1, U2, U3 and who acknowledged', async () => {
    const { handlers } = running();
    const { silos, rounds } = await handlers.getParticipation(ADA, ask);
    expect(silos).toEqual(['silo-000', 'silo-001', 'silo-002', 'silo-003']);
    const all = [0, 1, 2, 3];
    const sets = { cohort: all, u1: all, u2: all };
    expect(rounds).toMatchObject([
      { round: 1, ...sets, u3: all, acknowledged: all, disputed: [], phase: Phase.PHASE_DONE },
      { round: 2, ...sets, u3: [], acknowledged: [], phase: Phase.PHASE_MASK },
    ]);
  });

  it('leaves out of U3 who was away, and takes a range', async () => {
    const consortium = new MemoryConsortium(5);
    consortium.hooks = { arrive: (silo, { type }) => !(silo.id === 'silo-001' && type === 'masked-header') };
    consortium.run(1);
    consortium.hooks = {};
    consortium.run();
    const { handlers } = stand(consortium);
    const { rounds } = await handlers.getParticipation(ADA, { ...ask, lastRound: 1 });
    expect(rounds).toMatchObject([{ round: 1, u2: [0, 1, 2, 3, 4], u3: [0, 2, 3, 4] }]);
    const paged = await handlers.getParticipation(ADA, { ...ask, firstRound: 2, pageSize: 1 });
    expect([paged.rounds.map(({ round }) => round), paged.nextPageToken === '']).toEqual([[2], false]);
  });
});

describe('stored objects', () => {
  it('are named with hash and size, and are those bytes', async () => {
    const { handlers, source, consortium } = completed();
    const { artefacts, disputes } = await handlers.getRound(ADA, { jobId: 'job-1', round: 2, fields: [] });
    expect(disputes).toEqual([]);
    expect(artefacts).toHaveLength(5);
    for (const { artefact, blob } of artefacts) {
      const bytes = await gathered(handlers.exportArtefact(ADA, { jobId: 'job-1', round: 2, artefact, index: 0 }));
      if (artefact === Artefact.ARTEFACT_MODEL_STATE) expect(new Uint8Array(bytes)).toEqual(source.model);
      else expect([sha256(bytes), BigInt(bytes.length)]).toEqual([blob!.sha256, blob!.size]);
      if (artefact === Artefact.ARTEFACT_RESULT)
        expect(decode(Envelope, 'envelope', bytes)).toEqual(consortium.job.closed[1]!.result!.envelope);
    }
  });

  it('are refused where there are none', () => {
    const asked = { jobId: 'job-1', artefact: Artefact.ARTEFACT_TRANSCRIPT, index: 0 };
    expect(() => running().handlers.exportArtefact(ADA, { ...asked, round: 2 })).toThrow('is still open');
    expect(() => abandoned().handlers.exportArtefact(ADA, { ...asked, round: 1 })).toThrow('was abandoned');
    expect(() =>
      completed().handlers.exportArtefact(ADA, { ...asked, round: 1, artefact: Artefact.ARTEFACT_UNSPECIFIED }),
    ).toThrow(expect.objectContaining({ code: 'admin/no-artefact' }));
  });
});

describe('the journal of acts', () => {
  it('holds acts and exports, written before they take effect, and no reads', async () => {
    const { handlers, consortium, source } = completed();
    await handlers.listJobs(ADA, { ...PAGE, states: [], fields: [] });
    await gathered(handlers.exportSum(ADA, { jobId: 'job-1', round: 2 }));
    const signed = signOrder(consortium.founded, { $case: 'denySilo', value: { siloId: 'silo-000' } });
    await handlers.giveOrder(OLGA, { order: signed });
    const { acts } = await handlers.listActs(ADA, PAGE);
    expect(acts).toMatchObject([
      { number: 1n, actor: 'auditor/ada', method: 'ExportSum', about: { job: 'job-1', round: '2' } },
      { number: 2n, actor: 'operator/olga', method: 'GiveOrder', about: {} },
    ]);
    expect(source.records[1]!.signed).toEqual(signed);
    const paged = await handlers.listActs(ADA, { pageSize: 1, pageToken: '' });
    const rest = await handlers.listActs(ADA, { pageSize: 1, pageToken: paged.nextPageToken });
    expect([rest.acts.map(({ number }) => number), rest.nextPageToken]).toEqual([[2n], '']);
  });

  it('that is full lets nothing be done or given out', async () => {
    const { handlers, consortium, source } = completed();
    source.acts.append = () => Promise.resolve(false);
    const signed = signOrder(consortium.founded, { $case: 'denySilo', value: { siloId: 'silo-000' } });
    const full = { code: 'admin/acts-full', category: 'limit' };
    await expect(handlers.giveOrder(OLGA, { order: signed })).rejects.toMatchObject(full);
    expect(consortium.coordinator.denied.size).toBe(0);
    await expect(gathered(handlers.exportModel(ADA, { jobId: 'job-1', state: false }))).rejects.toMatchObject(full);
  });
});

describe('server info', () => {
  it('says what runs here and for whom', async () => {
    const { handlers, consortium } = completed();
    order(consortium, { $case: 'denySilo', value: { siloId: 'silo-000' } });
    const info = await handlers.getServerInfo(ADA, { afterEpoch: 0n });
    expect(info).toMatchObject({
      version: '0.0.1',
      consortiumId: 'test',
      silos: 4,
      silosConnected: 4,
      jobs: 1,
      orders: 1n,
    });
    expect(info.rosterHash).toEqual(consortium.founded.roster.hash);
    expect(info.events).toBe(BigInt(consortium.journal.length));
  });
});

describe('rosters that succeeded the first', () => {
  it('are given from behind an epoch', async () => {
    const { handlers, consortium } = completed();
    for (let epoch = 1; epoch <= 3; epoch++) {
      const roster = successorOf(consortium.coordinator.self.roster);
      for (const { index } of consortium.silos) sign(consortium, index, roster, index === 0);
      consortium.settle();
    }
    const after = async (afterEpoch: bigint): Promise<bigint[]> =>
      (await handlers.getServerInfo(ADA, { afterEpoch })).successors.map(
        ({ roster }) => decode(Roster, 'roster', roster, 1 << 20).epoch,
      );
    expect(await after(0n)).toEqual([1n, 2n, 3n]);
    expect(await after(2n)).toEqual([3n]);
    expect(await after(3n)).toEqual([]);
    expect(await after(99n)).toEqual([]);
  });
});

describe('folding', () => {
  it('accepts an order again as it was', () => {
    const consortium = new MemoryConsortium(4);
    const event = {
      $case: 'orderGiven',
      value: { order: signOrder(consortium.founded, { $case: 'denySilo', value: { siloId: 'silo-000' } }) },
    } as const;
    const done = advanceCoordinator(consortium.coordinator, { at: unixMs(5), event });
    expect('accepted' in done && done.accepted.effects.map(({ kind }) => kind)).toEqual([
      'persist',
      'answer',
      'notify',
    ]);
  });
});

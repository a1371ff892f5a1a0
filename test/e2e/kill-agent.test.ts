// An agent dies as in a power cut before and after each kind of record, and around its upload, and is started again each time. Three
// silos with a threshold of three: nothing goes on without it, so every step of the round is one that it died in.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JobState, type Envelope, type Job, type Round, type SiloRecord } from '../../src/wire/index.js';
import { Consortium } from '../support/e2e/consortium.js';
import { endOf } from '../support/e2e/processes.js';
import { statisticsFile, statisticsManifest, TIMEOUTS } from '../support/e2e/jobs.js';
import { chargesOf, exchangeOf, foldCoordinator, foldSilo, problemsOf, siloRecords } from '../support/e2e/journals.js';
import { DATA_SET } from '../support/e2e/records.js';
import { wrongSums } from '../support/e2e/sums.js';

type Kind = NonNullable<SiloRecord['event']>['$case'];

const around = (...kinds: Kind[]): string[] =>
  kinds.flatMap((kind) => [`silo.before-persist.${kind}`, `silo.after-persist.${kind}`]);

/** While another silo's input is held back, so that the round stays where it is. */
const AT_UPLOAD = [
  ...around('contributionReady'),
  'silo.before-upload',
  'silo.after-receipt',
  ...around('receiptReceived'),
];

const IN_TURN = [
  ...around('helloMade', 'jobOffered', 'jobDecided', 'jobPrepared', 'checkpointRead'),
  ...around('attemptStarted', 'keysReceived', 'sharesReceived', 'sharesClosed'),
  ...around('inputMasked', 'confirmRequested', 'fingerprinted', 'unmaskRequested'),
  ...around('resultVerified', 'jobClosed'),
];

/** A silo that cannot contribute: of three silos nobody can be spared, so the round is abandoned. */
const WITHOUT_INPUT = around('contributionFailed', 'abandoned');

interface Ended {
  readonly manifest: Envelope;
  readonly job: Job;
  readonly rounds: Round[];
}

const timeouts = { ...TIMEOUTS, absentAfterMs: 60_000 };
let consortium: Consortium;
let doomed: string;
const hit: string[] = [];
let atUpload: Ended;
let inTurn: Ended;
let withoutInput: Ended;
const wrong: string[] = [];

beforeAll(async () => {
  consortium = await Consortium.found({ silos: 3 });
  await consortium.start();
  doomed = consortium.silos[0]!;
  const holder = consortium.silos[1]!;

  await restart(holder, 'silo.before-upload');
  atUpload = await runJob('at-upload', AT_UPLOAD, async () => {
    await endOf(consortium.running(holder), `${holder} before its upload`);
    return () => consortium.startAgent(holder);
  });
  wrong.push(...(await wrongSums(consortium, atUpload.manifest)));

  inTurn = await runJob('in-turn', IN_TURN);
  wrong.push(...(await wrongSums(consortium, inTurn.manifest)));

  await consortium.configureAgent({ silo: doomed, queries: { [DATA_SET]: "SELECT 1 AS age, 'text' AS pressure" } });
  withoutInput = await runJob('without-input', WITHOUT_INPUT);
  await consortium.stopPrograms();
}, 240_000);

afterAll(() => consortium.close());

async function restart(silo: string, failpoint = ''): Promise<void> {
  await consortium.kill(silo);
  consortium.startAgent(silo, failpoint);
}

/** `meanwhile` resolves when somebody else may be let go on after the deaths. */
async function runJob(
  jobId: string,
  deaths: readonly string[],
  meanwhile: () => Promise<() => unknown> = () => Promise.resolve(() => undefined),
): Promise<Ended> {
  const { roster, silos } = consortium.founded;
  await consortium.kill(doomed);
  const dying = consortium.dieAt(doomed, deaths);
  const manifest = await consortium.offer(statisticsManifest(statisticsFile(jobId, silos, { timeouts }), roster.hash));
  const [release] = await Promise.all([meanwhile(), consortium.approve(manifest)]);
  hit.push(...(await dying));
  release();
  const job = await consortium.finished(jobId);
  // Whoever dies right after this record is not told again.
  await consortium.toldOfEnd(jobId, deaths.some((name) => name.endsWith('jobClosed')) ? silos.slice(1) : silos);
  return { manifest, job, rounds: await consortium.acknowledgedRounds(jobId) };
}

describe('an agent that dies at every kind of record', () => {
  it('was killed at each of them, the kinds of its journal all among them', async () => {
    expect(hit).toEqual([...AT_UPLOAD, ...IN_TURN, ...WITHOUT_INPUT]);
    const kinds = new Set((await siloRecords(consortium.founded, doomed)).map(({ event }) => event!.$case));
    for (const kind of kinds) for (const failpoint of around(kind)) expect(hit).toContain(failpoint);
    expect(kinds.size).toBe(19);
  });

  it('has its input in the sum of a single attempt, which all silos acknowledge', () => {
    for (const { job, rounds } of [atUpload, inTurn]) {
      expect(job.state).toBe(JobState.JOB_STATE_COMPLETED);
      expect(rounds.map(({ attempt }) => attempt)).toEqual([1]);
      expect(rounds[0]!.survivors).toEqual(consortium.silos);
      expect(rounds[0]!.acknowledgedBy).toEqual(consortium.silos);
    }
  });

  it('changes no sum', () => {
    expect(wrong).toEqual([]);
  });

  it('acknowledges a round that had to be abandoned because it has no input', () => {
    const [round] = withoutInput.rounds;
    expect(round!.attempt).toBe(3);
    expect(round!.survivors).toEqual([]);
    expect(round!.acknowledgedBy).toEqual(consortium.silos);
  });

  it('is charged for each round of which an input left it, once, whichever write it died at, and tells the log so', async () => {
    expect(await chargesOf(consortium.founded, doomed)).toEqual({
      ledger: { 'at-upload': 1, 'in-turn': 1 },
      left: 2,
      told: [1, 2],
    });
  });

  it('leaves journals that are whole and fold to what was sent', async () => {
    const { founded } = consortium;
    for (const name of ['coordinator', ...consortium.silos]) expect(await problemsOf(founded, name)).toEqual([]);
    await foldCoordinator(founded);
    for (const silo of consortium.silos) {
      const { jobs } = await foldSilo(founded, silo);
      expect([...jobs.values()].map(({ ended }) => ended)).toEqual([true, true, true]);
    }
  });

  it('sent every message with the same bytes each time, and no place was ever given two', async () => {
    for (const silo of consortium.silos) {
      const { accepted, foreign, doubled } = await exchangeOf(consortium.founded, silo);
      expect(accepted.length).toBeGreaterThan(18);
      expect({ foreign, doubled }).toEqual({ foreign: [], doubled: [] });
    }
    const refused = consortium.log('coordinator').filter(({ event }) => event === 'silo.message-refused');
    expect(refused.filter(({ code }) => code !== 'message/late')).toEqual([]);
  });
});

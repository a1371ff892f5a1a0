// The coordinator dies as in a power cut before and after each kind of record, in every phase of one job, and is started again each
// time: the job ends, the sum is exact, nobody is left behind (docs/protocol.md §2.7, G2 to G4).

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JobState, type CoordinatorRecord, type Envelope, type Job, type Round } from '../../src/wire/index.js';
import { Consortium } from '../support/e2e/consortium.js';
import { statisticsFile, statisticsManifest } from '../support/e2e/jobs.js';
import { coordinatorRecords, exchangeOf, foldCoordinator, foldSilo, problemsOf } from '../support/e2e/journals.js';
import { wrongSums } from '../support/e2e/sums.js';

type Kind = NonNullable<CoordinatorRecord['event']>['$case'];

const before = (kind: Kind, hit = 1): string => `coordinator.before-persist.${kind}@${hit}`;
const after = (kind: Kind, hit = 1): string => `coordinator.after-persist.${kind}@${hit}`;

/** In the order in which a job of three silos gets to them; a hit counts from the start of a process. */
const DEATHS = [
  before('actNoted'), // the certificate of a silo that the log shall know of
  after('actNoted'),
  before('jobCreated'),
  after('jobCreated'),
  after('messageReceived'), // an approval
  before('roundOpened'),
  after('roundOpened'),
  before('messageReceived', 2), // an advertisement
  before('phaseClosed'), // U1
  after('messageReceived', 2), // a share header
  after('phaseClosed'), // all shares are there
  after('messageReceived', 2), // what a silo says of the shares it got
  after('phaseClosed'), // U2
  before('messageReceived', 2), // a masked header
  after('phaseClosed'), // U3: its sum is computed after the restart
  before('sumComputed'),
  after('sumComputed'),
  after('messageReceived', 2), // a fingerprint
  after('phaseClosed'),
  before('fingerprintsChecked'),
  after('fingerprintsChecked'),
  before('messageReceived', 2), // a release
  before('sumOpened'), // all shares are durable: the sum is opened again
  after('sumOpened'),
  after('messageReceived', 2), // an acknowledgement
  before('jobStopped'),
  after('jobStopped'),
];

let consortium: Consortium;
let manifest: Envelope;
let hit: string[];
let job: Job;
let rounds: Round[];
let wrong: string[];

beforeAll(async () => {
  consortium = await Consortium.found({ silos: 3 });
  const { roster, silos } = consortium.founded;
  // A coordinator that nobody has met yet, and no job before it has died at the first certificate that it meets.
  await consortium.takePort();
  await consortium.prepareClients();
  let met: () => void = () => undefined;
  const certificates = new Promise<void>((resolve) => (met = resolve));
  const dying = consortium.dieAt('coordinator', DEATHS, {
    onDeath: (failpoint) => {
      if (failpoint === after('actNoted')) met();
    },
  });
  for (const silo of silos) consortium.startAgent(silo);
  await Promise.race([certificates, dying]);
  manifest = await consortium.offer(statisticsManifest(statisticsFile('sums', silos), roster.hash));
  await consortium.approve(manifest);
  hit = await dying;
  job = await consortium.finished('sums');
  rounds = await consortium.acknowledgedRounds('sums');
  await consortium.toldOfEnd('sums');
  wrong = await wrongSums(consortium, manifest);
  await consortium.stopPrograms();
}, 180_000);

afterAll(() => consortium.close());

describe('a coordinator that dies at every kind of record', () => {
  it('was killed at each of them, the kinds of its journal all among them', async () => {
    expect(hit).toEqual(DEATHS);
    const kinds = new Set((await coordinatorRecords(consortium.founded)).map(({ event }) => event!.$case));
    // Of the Hellos before: nobody says one while the coordinator dies here. `npm run kill` has it die at those as well.
    expect(kinds.delete('checkpointMade')).toBe(true);
    for (const kind of kinds)
      for (const name of [before(kind), after(kind)])
        expect(hit.some((one) => one.split('@')[0] === name.split('@')[0])).toBe(true);
    expect(kinds.size).toBe(9);
  });

  it('completes the job in one attempt, with all silos in the sum and all of them acknowledging it', () => {
    expect(job.state).toBe(JobState.JOB_STATE_COMPLETED);
    expect(rounds).toHaveLength(1);
    expect(rounds[0]!.attempt).toBe(1);
    expect(rounds[0]!.survivors).toEqual(consortium.silos);
    expect(rounds[0]!.acknowledgedBy).toEqual(consortium.silos);
    expect(rounds[0]!.disputedBy).toEqual([]);
  });

  it('opens the exact sum', () => {
    expect(wrong).toEqual([]);
  });

  it('leaves journals that are whole and fold to what was sent', async () => {
    const { founded } = consortium;
    for (const name of ['coordinator', ...consortium.silos]) expect(await problemsOf(founded, name)).toEqual([]);
    const folded = await foldCoordinator(founded);
    expect([...folded.jobs.values()].map(({ status }) => status)).toEqual(['completed']);
    for (const silo of consortium.silos) {
      const state = await foldSilo(founded, silo);
      expect([...state.jobs.values()].map(({ ended }) => ended)).toEqual([true]);
    }
  });

  it('holds of each silo only messages that the silo sent, byte for byte, and one for each place', async () => {
    for (const silo of consortium.silos) {
      const { accepted, foreign, doubled } = await exchangeOf(consortium.founded, silo);
      // A silo says Hello at each start, and cosigns each checkpoint.
      const types = accepted.map(({ type }) => type).filter((type) => type !== 'hello' && type !== 'cosign');
      const needed = ['approval', 'advertise', 'share-header', 'masked-header', 'consistency', 'unmask', 'ack'];
      expect(types).toEqual(expect.arrayContaining(needed));
      expect(new Set(types).size).toBe(types.length);
      expect({ foreign, doubled }).toEqual({ foreign: [], doubled: [] });
    }
  });
});

// A line that fails in every way, and peers that mean harm: rounds end all the same with the exact sum, and the coordinator's memory
// stays within a bound.

import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readBundle } from '../../src/pki/index.js';
import { SERVER_LIMITS } from '../../src/transport/limits.js';
import { JobState, type Envelope, type Round } from '../../src/wire/index.js';
import { BadLine } from '../support/e2e/bad-line.js';
import { Consortium } from '../support/e2e/consortium.js';
import { agentYaml } from '../support/e2e/founding.js';
import { Hostile, type Harm } from '../support/e2e/hostile.js';
import { statisticsFile, statisticsManifest, trainingFile, trainingManifest } from '../support/e2e/jobs.js';
import { endOf, eventually, isAlive, pause, startProgram } from '../support/e2e/processes.js';
import { DATA_SET, RANGES } from '../support/e2e/records.js';
import { wrongSums } from '../support/e2e/sums.js';
import { logisticRegression } from '../support/onnx-models.js';

/** A test that passes never waits for these. */
const PATIENT = {
  advertiseMs: 300_000,
  shareMs: 300_000,
  maskMs: 300_000,
  confirmMs: 300_000,
  unmaskMs: 300_000,
  absentAfterMs: 200_000,
  graceMs: 200_000,
};
/** Whoever is away is given up after a second, and so three attempts are used up within seconds. */
const IMPATIENT = { ...PATIENT, absentAfterMs: 1_000, graceMs: 500 };
const JOB_MS = 240_000;
/** Features of the wide job: 2,000 times the three, so that an input has some 48 KB and everything else an agent says is less. */
const REPEATED = 2_000;
const WIDE = 'wide';

let consortium: Consortium;
let line: BadLine;
let members: readonly string[];
let behind: string;
let outsider: string;

beforeAll(async () => {
  consortium = await Consortium.found({ silos: 4 });
  members = consortium.silos.slice(0, 3);
  behind = members[0]!;
  // A certificate of its own, and no agent: it means harm.
  outsider = consortium.silos[3]!;
  await consortium.start([]);
  const made = await BadLine.to(() => consortium.port);
  line = made.line;
  for (const silo of members) {
    const port = silo === behind ? made.port : consortium.port;
    const wide = Array.from({ length: REPEATED }, (_, k) => RANGES.map(({ column }) => `${column} AS ${column}${k}`));
    const from = `'${consortium.founded.folder}/records/${silo}.csv'`;
    const queries = { [WIDE]: `SELECT ${wide.flat().join(', ')} FROM ${from}` };
    await writeFile(consortium.founded.at(`${silo}.yaml`), agentYaml(consortium.founded, { silo, port, queries }));
    consortium.startAgent(silo);
  }
}, 240_000);

afterAll(async () => {
  await consortium.close();
  await line.close();
});

interface Ran {
  readonly rounds: readonly Round[];
  readonly wrong: readonly string[];
}

interface Settings {
  readonly wide?: boolean;
  /** Between the decisions of the others and of the silo behind the line: the job waits for it. */
  readonly before?: () => void;
}

/** Offers a statistics job and has it approved; what comes back waits for its end. */
async function begin(jobId: string, { wide = false, before }: Settings = {}) {
  const common = statisticsFile(jobId, members, { timeouts: PATIENT });
  const repeated = wide ? REPEATED : 1;
  const features = Array.from({ length: repeated }, (_, k) =>
    RANGES.map((range) => ({ ...range, column: wide ? `${range.column}${k}` : range.column })),
  ).flat();
  const file = { ...common, data: { ...common.data, dataSet: wide ? WIDE : DATA_SET, features } };
  const manifest = await consortium.offer(statisticsManifest(file, consortium.founded.roster.hash));
  await consortium.approve(manifest, members.slice(1));
  before?.();
  await consortium.approve(manifest, [behind]);
  return () => ended(jobId, manifest, repeated);
}

async function ended(jobId: string, manifest: Envelope, repeated: number): Promise<Ran> {
  const job = await consortium.finished(jobId, JOB_MS);
  expect(job.state).toBe(JobState.JOB_STATE_COMPLETED);
  const rounds = await consortium.acknowledgedRounds(jobId, JOB_MS);
  const last = rounds.at(-1)!;
  expect(last.survivors).toEqual(members);
  expect(last.disputedBy).toEqual([]);
  return { rounds, wrong: await wrongSums(consortium, manifest, { round: last.round, repeated }) };
}

function losses(): number {
  return consortium.log(behind).filter(({ event }) => event === 'connection.lost').length;
}

const here = () => members.map((silo) => consortium.tail(silo)).join('\n');

describe('a silo behind a bad line is in the exact sum of the first attempt', () => {
  const whole = ({ rounds, wrong }: Ran): void => {
    expect(rounds.map(({ attempt }) => attempt)).toEqual([1]);
    expect(wrong).toEqual([]);
  };

  it('that is reset three times in the middle of its upload', { timeout: 300_000 }, async () => {
    const before = line.connections;
    let resets = 0;
    const finished = await begin('upload', {
      wide: true,
      before: () => {
        line.resetAfter(30_000);
      },
    });
    for (; resets < 3; resets++) {
      await eventually('a reset', () => !line.willReset, { ms: JOB_MS, why: here });
      if (resets < 2) line.resetAfter(30_000);
    }
    whole(await finished());
    expect(line.connections).toBeGreaterThanOrEqual(before + 3);
  });

  it('that is cut, reset and half closed while it watches and works', { timeout: 300_000 }, async () => {
    const before = line.connections;
    const finished = await begin('cuts');
    for (const fail of [
      () => {
        line.cut();
      },
      () => {
        line.reset();
      },
      () => {
        line.halfClose();
      },
    ]) {
      const { connections } = line;
      fail();
      await eventually('the next connection', () => line.connections > connections, { ms: JOB_MS, why: here });
    }
    whole(await finished());
    expect(line.connections).toBeGreaterThanOrEqual(before + 3);
  });

  it('that takes bytes and delivers none, then a byte a second, then all', { timeout: 300_000 }, async () => {
    const finished = await begin('stall', {
      before: () => {
        line.set({ kind: 'silent' });
      },
    });
    const { sent } = line;
    await eventually('bytes that were taken', () => line.sent > sent, { ms: JOB_MS, why: here });
    await pause(1_500);
    line.set({ kind: 'slow', bytesPerSecond: 1 });
    await pause(3_000);
    // Nothing got through: the round cannot be over.
    expect((await consortium.rounds('stall')).every(({ acknowledgedBy }) => acknowledgedBy.length === 0)).toBe(true);
    line.set({ kind: 'good' });
    whole(await finished());
  });

  it.each(['up', 'down'] as const)(
    'of which the half that leads %s is dead for a while',
    { timeout: 300_000 },
    async (only) => {
      const finished = await begin(`half-${only}`, {
        before: () => {
          line.set({ kind: 'silent', only });
        },
      });
      await pause(1_500);
      const before = line.connections;
      // What was dead stays dead: a new connection must take over. Here the far side tells; that nobody tells is tried without processes.
      line.forget(only);
      line.reset();
      await eventually('the next connection', () => line.connections > before, { ms: JOB_MS, why: here });
      whole(await finished());
    },
  );
});

describe('a long outage', () => {
  it('uses up the attempts of a round, and does not end the job', { timeout: 300_000 }, async () => {
    const model = logisticRegression(RANGES.length);
    await consortium.putBlob(model);
    const file = trainingFile('outage', members, { timeouts: IMPATIENT, rounds: 6 });
    const manifest = await consortium.offer(trainingManifest(file, consortium.founded.roster.hash, model).manifest);
    await consortium.approve(manifest, members);
    await eventually('the first round', async () => (await consortium.rounds('outage')).length > 0, {
      ms: JOB_MS,
      why: here,
    });
    line.set({ kind: 'down' });
    const lost = ({ attempt }: Round): boolean => attempt > 1;
    await eventually('an attempt that is lost', async () => (await consortium.rounds('outage')).some(lost), {
      ms: JOB_MS,
      why: here,
    });
    await pause(4_000);
    expect(losses()).toBeGreaterThan(0);
    line.set({ kind: 'good' });
    const job = await consortium.finished('outage', JOB_MS);
    expect(job.state).toBe(JobState.JOB_STATE_COMPLETED);
    // Every silo has repeated every check of the sum, and acknowledged it.
    const last = (await consortium.acknowledgedRounds('outage', JOB_MS)).at(-1)!;
    expect(last.survivors).toEqual(members);
    expect(last.disputedBy).toEqual([]);
  });
});

describe('peers that mean harm', () => {
  let hostile: Hostile;
  beforeAll(async () => {
    const bundle = await readBundle(consortium.founded.at(`${outsider}.tls.pem`));
    hostile = new Hostile(consortium.port, { ...bundle, authorityPem: consortium.founded.authorityPem });
  });

  /** Kilobytes of the coordinator that are in memory. */
  function resident(): number {
    const status = readFileSync(`/proc/${consortium.running('coordinator').child.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)![1]);
  }

  /** A garbage collector's room and the round's own work; nothing that grows with what was sent. */
  const MEMORY_KB = 160 * 1024;

  const HARM: Readonly<Record<string, { readonly least: number; readonly begin: () => Promise<Harm> }>> = {
    'trickle a handshake byte by byte': { least: 300, begin: () => hostile.handshakesByteByByte(300) },
    'take every place and say nothing': {
      least: SERVER_LIMITS.connectionsMax + 100,
      begin: () => hostile.silentConnections(SERVER_LIMITS.connectionsMax + 100),
    },
    'trickle the headers of a request byte by byte': { least: 2, begin: () => hostile.headersByteByByte(6) },
    'have no certificate': { least: 20, begin: () => hostile.withoutCertificate(20) },
    'ping without end': { least: 1_000, begin: () => hostile.pings(20_000) },
    'open ten thousand streams': { least: 10_000, begin: () => hostile.streams(10_000) },
    'send frames of one byte': { least: 1, begin: () => hostile.framesOfOneByte(20_000) },
    'ask and never read': { least: 30, begin: () => hostile.neverReading(60) },
  };

  it.each(Object.keys(HARM))('and %s, cost bounded memory and disturb no round', { timeout: 300_000 }, async (what) => {
    const before = resident();
    let most = before;
    const looking = setInterval(() => (most = Math.max(most, resident())), 50);
    try {
      const { least, begin: harm } = HARM[what]!;
      const [{ done }, finished] = await Promise.all([harm(), begin(`harm-${Object.keys(HARM).indexOf(what)}`)]);
      // An honest agent that has lost its connection gets another one all the same.
      line.reset();
      const { rounds, wrong } = await finished();
      expect(rounds.map(({ attempt }) => attempt)).toEqual([1]);
      expect(wrong).toEqual([]);
      expect(done).toBeGreaterThanOrEqual(least);
    } finally {
      clearInterval(looking);
      hostile.letGo();
    }
    expect(most - before).toBeLessThan(MEMORY_KB);
    expect(isAlive(consortium.running('coordinator'))).toBe(true);
  });
});

describe('afterwards', () => {
  it('the coordinator has no error of its own, and every state folder is whole', { timeout: 300_000 }, async () => {
    expect(consortium.log('coordinator').filter(({ level }) => level === 'error')).toEqual([]);
    await consortium.stopPrograms();
    for (const name of ['coordinator', ...members]) {
      const program = name === 'coordinator' ? 'coordinator' : 'agent';
      const config = consortium.founded.at(`${name}.yaml`);
      const { code, stdout } = await endOf(startProgram(program, ['fsck', '--config', config]), `fsck of ${name}`);
      expect(code, stdout).toBe(0);
    }
  });
});

// Kills a program at each of a list of failpoints while its consortium works, and at random times.

import { Consortium } from '../support/e2e/consortium.js';
import { begin, endOf, pause, prepareProgram } from '../support/e2e/processes.js';
import { wrongDisks, wrongRounds } from './checks.js';
import { PATIENCE_MS, runJobs, type DoneJob } from './jobs.js';
import { settled } from './points.js';

export interface Report {
  readonly deaths: readonly string[];
  readonly jobs: number;
  /** What should not be; empty when all is well. */
  readonly wrong: readonly string[];
}

export interface Doomed {
  /** Failpoints of the coordinator, in the order in which it comes to them. */
  readonly coordinator?: readonly string[];
  /** Of the first silo's agent. */
  readonly agent?: readonly string[];
}

/** Founds three silos, of whom nobody can be spared, and lets programs die until every failpoint has been hit. */
export async function killAt(doomed: Doomed, say: (line: string) => void, train = true): Promise<Report> {
  const consortium = await Consortium.found({ silos: 3 });
  try {
    await consortium.takePort();
    await consortium.prepareClients();
    const [first, ...others] = consortium.silos;
    const deaths: string[] = [];
    const dying = (name: string, points: readonly string[] = []): Promise<string[]> =>
      consortium.dieAt(name, points, {
        patienceMs: PATIENCE_MS,
        onDeath: (point) => {
          deaths.push(`${name} ${point}`);
          say(`${name} died at ${point}`);
        },
      });
    let alive = false;
    const lives = Promise.all([dying('coordinator', doomed.coordinator), dying(first!, doomed.agent)]).finally(() => {
      alive = true;
    });
    // Observed below; a failure must not pass for an unhandled one meanwhile.
    lives.catch(() => undefined);
    for (const silo of others) consortium.startAgent(silo);
    const jobs: DoneJob[] = [];
    for (let number = 1; number === 1 || !alive; number++) {
      // Some of what a coordinator does follows from a silo's start alone: its Hello, and the checkpoint that it waits for.
      if (number > 1 && doomed.coordinator !== undefined) {
        const silo = others[number % others.length]!;
        await consortium.kill(silo);
        consortium.startAgent(silo);
      }
      jobs.push(...(await runJobs(consortium, number, train)));
    }
    await lives;
    return await conclude(consortium, jobs, deaths);
  } finally {
    await consortium.close();
  }
}

/** Starts a stopped program that is killed at a point of its orderly end, and sees it come back. */
export async function killAtStop(program: 'coordinator' | 'agent', points: readonly string[]): Promise<Report> {
  const consortium = await Consortium.found({ silos: 3 });
  try {
    await consortium.start();
    const jobs = await runJobs(consortium, 1, false);
    await settled(
      consortium,
      jobs.map(({ job }) => job.jobId),
    );
    const name = program === 'coordinator' ? 'coordinator' : consortium.silos[0]!;
    const deaths: string[] = [];
    const wrong: string[] = [];
    for (const point of points) {
      await consortium.kill(name);
      const doomed = await begin(
        prepareProgram(program, ['run', '--config', consortium.founded.at(`${name}.yaml`)], point),
      );
      await pause(1_000);
      doomed.child.kill('SIGTERM');
      const { signal } = await endOf(doomed, `${name} at ${point}`);
      if (signal === 'SIGKILL') deaths.push(`${name} ${point}`);
      else wrong.push(`${name} did not die at ${point}`);
      if (program === 'coordinator') await consortium.startCoordinator();
      else consortium.startAgent(name);
    }
    const report = await conclude(consortium, [...jobs, ...(await runJobs(consortium, 2, false))], deaths);
    return { ...report, wrong: [...wrong, ...report.wrong] };
  } finally {
    await consortium.close();
  }
}

/** Kills any program at any time for `minutes`; which and when follow from `seed`, what they are doing then does not. */
export async function killAtRandom(minutes: number, seed: number, say: (line: string) => void): Promise<Report> {
  const consortium = await Consortium.found({ silos: 3 });
  const random = generator(seed);
  try {
    await consortium.start();
    const names = ['coordinator', ...consortium.silos];
    const until = Date.now() + minutes * 60_000;
    const deaths: string[] = [];
    let over = false;
    const killing = (async () => {
      while (Date.now() < until) {
        await pause(50 + random() * 1_500);
        const name = names[Math.floor(random() * names.length)]!;
        await consortium.kill(name);
        deaths.push(name);
        await pause(random() * 500);
        if (name === 'coordinator') await consortium.startCoordinator();
        else consortium.startAgent(name);
      }
    })().finally(() => {
      over = true;
    });
    killing.catch(() => undefined);
    const jobs: DoneJob[] = [];
    for (let number = 1; number === 1 || !over; number++) {
      jobs.push(...(await runJobs(consortium, number)));
      say(`${jobs.length} jobs completed, ${deaths.length} deaths`);
    }
    await killing;
    return await conclude(consortium, jobs, deaths);
  } finally {
    await consortium.close();
  }
}

async function conclude(consortium: Consortium, jobs: readonly DoneJob[], deaths: readonly string[]): Promise<Report> {
  await settled(
    consortium,
    jobs.slice(-1).map(({ job }) => job.jobId),
  );
  for (const { job } of jobs) await consortium.acknowledgedRounds(job.jobId, PATIENCE_MS);
  const wrong = await wrongRounds(consortium, jobs);
  await consortium.stopPrograms();
  wrong.push(...(await wrongDisks(consortium)));
  return { deaths, jobs: jobs.length, wrong };
}

/** Numbers in [0, 1) that follow from the seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

// Which failpoints there are: those that a consortium passes in a complete run, in the order in which each program first passes them.

import { readFileSync } from 'node:fs';
import type { Consortium } from '../support/e2e/consortium.js';
import { PATIENCE_MS, runJobs } from './jobs.js';

export interface Points {
  /** Passed while the program works, by first passage. */
  readonly working: readonly string[];
  /** Passed for the first time when it is told to stop. */
  readonly stopping: readonly string[];
}

export interface Traced {
  readonly coordinator: Points;
  /** Of the first silo. */
  readonly agent: Points;
}

/** Runs jobs on a consortium that has never run, without a fault, and stops it. */
export async function tracePoints(consortium: Consortium, train = true): Promise<Traced> {
  const { at } = consortium.founded;
  const [first, ...others] = consortium.silos;
  const files = { coordinator: at('coordinator.trace'), agent: at('agent.trace') };
  await consortium.takePort();
  await consortium.startCoordinator({ trace: files.coordinator });
  await consortium.prepareClients();
  consortium.startAgent(first!, { trace: files.agent });
  for (const silo of others) consortium.startAgent(silo);
  const done = await runJobs(consortium, 1, train);
  await settled(
    consortium,
    done.map(({ job }) => job.jobId),
  );
  const passed = { coordinator: namesIn(files.coordinator).length, agent: namesIn(files.agent).length };
  await consortium.stopPrograms();
  const pointsOf = (program: 'coordinator' | 'agent'): Points => {
    const names = namesIn(files[program]);
    const working = [...new Set(names.slice(0, passed[program]))];
    return { working, stopping: [...new Set(names)].filter((name) => !working.includes(name)) };
  };
  return { coordinator: pointsOf('coordinator'), agent: pointsOf('agent') };
}

/** Every round acknowledged by everybody, and everybody told of the end. */
export async function settled(consortium: Consortium, jobs: readonly string[]): Promise<void> {
  for (const job of jobs) {
    await consortium.acknowledgedRounds(job, PATIENCE_MS);
    await consortium.toldOfEnd(job);
  }
}

function namesIn(file: string): string[] {
  return readFileSync(file, 'utf8').split('\n').slice(0, -1);
}

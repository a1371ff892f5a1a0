// The real programs, from dist/: started, killed, started again. Nothing that is started here outlives the test process.

import type { ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { built, builtUrl, startNode, type Ended, type Running } from '../built-program.js';

export type { Ended, Running };

const PROGRAMS = {
  coordinator: 'coordinator/main.ts',
  agent: 'silo-agent/main.ts',
  audit: 'auditor/main.ts',
  ca: 'certs/main.ts',
} as const;

export type Program = keyof typeof PROGRAMS;

const children = new Set<ChildProcess>();
// The last resort, for a test file that ends without its hooks.
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** A failpoint to die at, or a file that gets the name of each that is passed. */
export type Faults = string | { readonly trace: string };

const environment = (faults: Faults): Record<string, string> => ({
  ...(typeof faults === 'string' ? { VEILSUM_FAILPOINT: faults } : { VEILSUM_FAILPOINT_TRACE: faults.trace }),
  no_grpc_proxy: '127.0.0.1,localhost',
});

export function startProgram(program: Program, args: readonly string[], faults: Faults = ''): Running {
  return watched(startNode([built(PROGRAMS[program]), ...args], environment(faults)));
}

/**
 * A process that has loaded a program's modules and waits for SIGUSR2 before it runs it. With the next one at hand, a program is back a
 * tenth of a second after its death, and its peers, which wait longer after each failure, are there at once.
 */
export function prepareProgram(program: 'coordinator' | 'agent', args: readonly string[], failpoint = ''): Running {
  const main = PROGRAMS[program];
  const modules = [builtUrl(main.replace('main.ts', 'start.ts')), builtUrl(main)];
  return watched(startNode([built('test/support/e2e/prepared.ts'), ...modules, ...args], environment(failpoint)));
}

/** Lets a prepared process run its program. */
export async function begin(prepared: Running): Promise<Running> {
  await prepared.line('loaded');
  prepared.child.kill('SIGUSR2');
  return prepared;
}

function watched(running: Running): Running {
  children.add(running.child);
  const gone = (): void => {
    children.delete(running.child);
  };
  running.ended.then(gone, gone);
  return running;
}

export function isAlive({ child }: Running): boolean {
  return child.exitCode === null && child.signalCode === null;
}

/** Long enough for a loaded machine; a test that passes never waits for it. */
export const PATIENCE_MS = 40_000;
const POLL_MS = 40;

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** Asks until the answer is not undefined or false. `why` adds to the error what a reader wants to see. */
export async function eventually<T>(
  what: string,
  ask: () => T | Promise<T>,
  { ms = PATIENCE_MS, why = () => '' }: { readonly ms?: number; readonly why?: () => string } = {},
): Promise<Exclude<T, undefined | false>> {
  for (let left = ms; left > 0; left -= POLL_MS) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>;
    await pause(POLL_MS);
  }
  throw new Error(`did not come about: ${what}\n${why()}`);
}

// Below what the systems we know hand out by themselves: while a program is dead, nobody's outgoing connection can take its port.
const FIRST_PORT = 20_000;
const PORTS = 10_000;

/** A port of this machine that nobody listens on now. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = FIRST_PORT + randomInt(PORTS);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => {
        resolve(false);
      });
      server.listen(port, '127.0.0.1', () => {
        server.close(() => {
          resolve(true);
        });
      });
    });
    if (free) return port;
  }
  throw new Error('no port is free');
}

/** The end of a process, which must come. */
export async function endOf(
  running: Pick<Running, 'ended'>,
  what: string,
  why: () => string = () => '',
  ms = PATIENCE_MS,
): Promise<Ended> {
  let ended: Ended | undefined;
  void running.ended.then((end) => (ended = end));
  return eventually(`the end of ${what}`, () => ended, { why, ms });
}

/** SIGTERM to all, SIGKILL to what is left after the patience of a test. */
export async function stopAll(all: readonly Running[]): Promise<void> {
  for (const { child } of all) child.kill('SIGTERM');
  const timer = setTimeout(() => {
    for (const { child } of all) child.kill('SIGKILL');
  }, PATIENCE_MS);
  await Promise.allSettled(all.map(({ ended }) => ended));
  clearTimeout(timer);
}

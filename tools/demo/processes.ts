// The programs of the demo as real processes, with their logs in files and an end for all of them.

import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const PROGRAMS = {
  coordinator: 'dist/coordinator/main.js',
  agent: 'dist/silo-agent/main.js',
  audit: 'dist/auditor/main.js',
  ca: 'dist/certs/main.js',
} as const;

export type Program = keyof typeof PROGRAMS;

/** Runs a command of one of the programs to its end; returns what it printed. */
export async function command(program: Program, args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [resolve(PROGRAMS[program]), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let errors = '';
  child.stdout.on('data', (data: Buffer) => (out += data.toString()));
  child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
  const code = await exitOf(child);
  if (code !== 0) throw new Error(`veilsum-${program} ${args.join(' ')} ended with ${String(code)}:\n${errors}${out}`);
  return out;
}

export interface RunningProcess {
  readonly name: string;
  /** The signal or exit code it ended with. */
  readonly ended: Promise<string>;
  /** The first line on standard output. */
  readonly firstLine: Promise<string>;
  kill(signal: NodeJS.Signals): void;
}

export class Processes {
  readonly #folder: string;
  readonly #running = new Map<string, ChildProcess>();
  #stopping = false;
  /** Set when a process ended that nobody had told to. */
  onUnexpectedEnd: (name: string, how: string) => void = () => undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** `mayDie`: this process will be killed by the failpoint in `env`. */
  start(
    name: string,
    program: Program,
    args: readonly string[],
    options: { env?: Record<string, string>; mayDie?: boolean } = {},
  ): RunningProcess {
    const log = openSync(this.logOf(name), 'a');
    const child = spawn(process.execPath, [resolve(PROGRAMS[program]), ...args], {
      stdio: ['ignore', 'pipe', log],
      env: { ...process.env, ...options.env },
    });
    closeSync(log);
    this.#running.set(name, child);
    const firstLine = lineOf(child);
    const ended = exitOf(child).then((code) => {
      this.#running.delete(name);
      const how = child.signalCode ?? `code ${String(code)}`;
      if (!this.#stopping && options.mayDie !== true) this.onUnexpectedEnd(name, how);
      return how;
    });
    return {
      name,
      ended,
      firstLine,
      kill: (signal) => {
        child.kill(signal);
      },
    };
  }

  logOf(name: string): string {
    return join(this.#folder, `${name}.log`);
  }

  /** The last lines of a log, for an error message. */
  tail(name: string, lines = 8): string {
    try {
      return readFileSync(this.logOf(name), 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
    } catch {
      return '(no log)';
    }
  }

  /** SIGTERM to all, and SIGKILL to what is left after ten seconds. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const children = [...this.#running.values()];
    for (const child of children) child.kill('SIGTERM');
    const timer = setTimeout(() => {
      for (const child of children) child.kill('SIGKILL');
    }, 10_000);
    await Promise.all(children.map(exitOf));
    clearTimeout(timer);
  }
}

function lineOf({ stdout }: ChildProcess): Promise<string> {
  return new Promise((done) => {
    if (stdout !== null) createInterface({ input: stdout }).once('line', done);
  });
}

function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((done, fail) => {
    child.once('exit', (code) => {
      done(code);
    });
    child.once('error', fail);
  });
}

// Child processes for tests: Node cannot load the sources, so children run the compiled files; npm test builds first.

import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

// From the sources, and from dist/ for the batteries that run by a command of their own.
const here = fileURLToPath(new URL('../../', import.meta.url));
const root = existsSync(join(here, 'package.json')) ? here : join(here, '..');

/** The compiled file of a source file, `src/system/index.ts` → its path under dist/. */
export function built(source: string): string {
  const compiled = join(root, 'dist', source.replace(/\.ts$/, '.js'));
  if (!existsSync(compiled)) throw new Error(`${compiled} does not exist: run npm run build`);
  return compiled;
}

/** The same as a URL, for an import statement inside a script. */
export function builtUrl(source: string): string {
  return pathToFileURL(built(source)).href;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when a line of standard output starts with `prefix`; rejects when the process ends first. */
  line(prefix: string): Promise<string>;
}

/** Starts node with these arguments; what it prints is collected. */
export function startNode(args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  const child = spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  const watchers = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    for (const watch of watchers) watch();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({ code, signal, stdout, stderr });
    });
  });
  const line = (prefix: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const watch = (): void => {
        const whole = stdout.slice(0, stdout.lastIndexOf('\n') + 1).split('\n');
        const found = whole.find((text) => text.startsWith(prefix) && text !== '');
        if (found === undefined) return;
        watchers.delete(watch);
        resolve(found);
      };
      watchers.add(watch);
      watch();
      void ended.then((end) => {
        reject(new Error(`ended without printing ${prefix}: ${end.stderr}`));
      });
    });
  return { child, ended, line };
}

/** Starts a module given as text. */
export function startScript(script: string, env: Readonly<Record<string, string>> = {}): Running {
  return startNode(['--input-type=module', '-e', script], env);
}

// Programs on a disk that gives out: a limit on the size of any file, which the kernel keeps and every account has.

import { spawn, type ChildProcess } from 'node:child_process';
import { built } from '../built-program.js';
import type { Ended } from './processes.js';

export interface Limited {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** `kibibytes`: no file may become longer; a write that would fails with EFBIG. */
export function startLimited(
  program: 'coordinator' | 'silo-agent',
  args: readonly string[],
  kibibytes: number,
): Limited {
  const blocks = String(kibibytes * 2);
  // POSIX counts in blocks of 512 bytes.
  const child = spawn(
    'sh',
    ['-c', `ulimit -f ${blocks}; exec "$@"`, 'sh', process.execPath, built(`${program}/main.ts`), ...args],
    {
      env: { ...process.env, no_grpc_proxy: '127.0.0.1,localhost' },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code, signal) => {
      resolve({ code, signal, stdout, stderr });
    });
  });
  process.on('exit', () => child.kill('SIGKILL'));
  return { child, ended };
}

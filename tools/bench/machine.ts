// What a figure was measured on.

import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly node: string;
  readonly openssl: string;
  readonly platform: string;
  /** Empty outside a repository. */
  readonly commit: string;
}

export function machine(): Machine {
  const all = cpus();
  return {
    processor: all[0]?.model.trim() ?? 'unknown',
    cores: all.length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    node: process.versions.node,
    openssl: process.versions.openssl,
    platform: `${process.platform} ${process.arch}`,
    commit: commit(),
  };
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return '';
  }
}

/** GB/s of `openssl speed` for AES-256-CTR on one thread, or undefined where that program is not there. */
export function opensslGBs(seconds: number): number | undefined {
  try {
    const args = ['speed', '-mr', '-seconds', String(seconds), '-bytes', '65536', '-evp', 'aes-256-ctr'];
    const printed = execFileSync('openssl', args, { encoding: 'utf8', stdio: 'pipe' });
    // +F:number:name:bytes a second.
    const rate = Number(/^\+F:\d+:[^:]+:([\d.]+)/m.exec(printed)?.[1]);
    return rate > 0 ? rate / 1e9 : undefined;
  } catch {
    return undefined;
  }
}

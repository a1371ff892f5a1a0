// The authority's service in the test's own process, over a folder as veilsum-ca keeps it.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { saveAuthority } from '../../certs/commands/authority-folder.js';
import { Desk } from '../../certs/service/desk.js';
import { startService } from '../../certs/service/server.js';
import { type AuthorityFiles, createAuthority } from '../../src/pki/index.js';
import { unixMs } from '../../src/base/index.js';
import type { Roster } from '../../src/protocol/index.js';
import { systemClock, systemRng } from '../../src/system/index.js';
import type { Log } from '../../src/telemetry/index.js';

export const SILENT: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  flush: () => Promise.resolve(),
};

export async function authorityFolder(parent: string, consortium: string, files?: AuthorityFiles): Promise<string> {
  const folder = join(parent, 'ca');
  const made = await createAuthority({
    consortium,
    lifetimeMs: 864_000_000,
    now: unixMs(Date.now()),
    rng: { bytes: (length) => randomBytes(length) },
  });
  await saveAuthority(folder, files ?? made, false);
  return folder;
}

export interface Served {
  readonly address: string;
  close(): Promise<void>;
}

export async function serveAuthority(
  folder: string,
  { roster }: { readonly roster: Roster },
  lifetimeMs: number,
  closing: (close: () => Promise<void>) => void = onTestFinished,
): Promise<Served> {
  const desk = new Desk({
    consortium: roster.consortiumId,
    folder,
    roster: () => Promise.resolve(roster),
    lifetimeMs,
    clock: systemClock,
    rng: systemRng,
  });
  const common = { desk, folder, listen: '127.0.0.1:0', hosts: ['localhost'], clock: systemClock, rng: systemRng };
  const service = await startService({ ...common, log: SILENT });
  closing(() => service.close());
  return { address: `localhost:${service.port}`, close: () => service.close() };
}

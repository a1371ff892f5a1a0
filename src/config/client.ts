// Configuration of veilsum-audit, for operators and auditors. Who it speaks for stands in its certificate and nowhere else.

import type { z } from 'zod';
import { dialled, name, pathIn, pinnedRoster, proxy, strict, tls } from './fields.js';
import { readConfig } from './read.js';

const client = (folder: string) =>
  strict({
    consortium: name,
    coordinator: dialled,
    proxy: proxy(folder).optional(),
    tls: tls(folder),
    /** Operators sign jobs and actions with it; an auditor needs none. */
    keys: strict({ signing: pathIn(folder) }).optional(),
    roster: pinnedRoster(folder),
  });

export type ClientConfig = z.output<ReturnType<typeof client>>;

/** Throws ConfigError with every bad field. */
export async function readClientConfig(path: string): Promise<ClientConfig> {
  return readConfig<ClientConfig>(path, client);
}

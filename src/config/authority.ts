// The configuration of the authority's service, `veilsum-ca serve`.

import { z } from 'zod';
import { address, dialled, log, name, pathIn, strict, whole } from './fields.js';
import { readConfig } from './read.js';

const WEEK_HOURS = 168;
const YEAR_HOURS = 8_760;

const authority = (folder: string) =>
  strict({
    consortium: name,
    /** What `veilsum-ca init` made. */
    folder: pathIn(folder),
    listen: address(0),
    /** How members reach it; its host stands in the service's certificate. */
    address: address(1),
    /** Further names or IP addresses under which it is reached. */
    names: z.array(z.string().min(1)).default([]),
    /** For the configuration that an enrolled agent writes. */
    coordinator: dialled,
    /** `successors`: what `veilsum-agent roster show --out` wrote, once the roster has changed. */
    roster: strict({ file: pathIn(folder), successors: pathIn(folder).optional() }),
    /** Lifetime of the certificates it issues. */
    certificateHours: whole(1, YEAR_HOURS).default(WEEK_HOURS),
    log: log(folder),
  });

export type AuthorityConfig = z.output<ReturnType<typeof authority>>;

/** Throws ConfigError with every bad field. */
export async function readAuthorityConfig(path: string): Promise<AuthorityConfig> {
  return readConfig<AuthorityConfig>(path, authority);
}

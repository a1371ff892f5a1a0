// The roster by which the authority knows its members: the file of its configuration, and what has succeeded that since.

import { LIMITS } from '../../src/base/index.js';
import type { AuthorityConfig } from '../../src/config/index.js';
import { CHAIN_BYTES, readChain, readRoster, type Roster } from '../../src/protocol/index.js';
import { readSmallFile } from '../../src/system/index.js';

/** Throws SystemError, Refusal `roster/…`: an authority that cannot tell who is a member gives nobody a certificate. */
export async function readPresentRoster({
  roster: { file, successors },
}: Pick<AuthorityConfig, 'roster'>): Promise<Roster> {
  const first = readRoster(await readSmallFile(file, LIMITS.manifestBytes));
  return successors === undefined ? first : readChain(first, await readSmallFile(successors, CHAIN_BYTES));
}

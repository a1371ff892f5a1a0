// veilsum-ca token: one enrolment for one hospital. The token is printed once; the authority keeps the hash of its secret.

import type { Command } from 'commander';
import { fromHex, isoTime, plusMs } from '../../src/base/index.js';
import { readAuthorityConfig, type AuthorityConfig } from '../../src/config/index.js';
import { EnrolmentError, formatToken } from '../../src/enrolment/index.js';
import { type Authority, type Identity, identityUri, inspectCertificate, PkiError } from '../../src/pki/index.js';
import { systemClock, systemRng } from '../../src/system/index.js';
import { isBarred } from '../service/barred.js';
import { TokenBook } from '../service/tokens.js';
import { loadAuthority } from './authority-folder.js';
import { HOUR_MS, wholeNumber } from './outcome.js';
import { readPresentRoster } from './present-roster.js';

/** Whoever reads the mail a day later finds nothing. */
const HOURS_MAX = 24;
const SECRET_BYTES = 32;

interface Options {
  readonly silo: string;
  readonly hours: number;
  readonly config: string;
}

export function addToken(program: Command): void {
  program
    .command('token')
    .description('make a one-time token with which a hospital enrols its agent; only its hash is kept')
    .requiredOption('--silo <name>', 'the silo, as in the roster')
    .requiredOption('--config <file>', 'configuration of the service (YAML, see docs/samples/authority.yaml)')
    .option('--hours <n>', `how long it is good, at most ${String(HOURS_MAX)}`, wholeNumber, HOURS_MAX)
    .action(makeToken);
}

async function makeToken({ silo, hours, config: path }: Options): Promise<void> {
  if (hours > HOURS_MAX)
    throw new PkiError(
      'pki/bad-lifetime',
      `a token is good for ${String(HOURS_MAX)} hours at most, not ${String(hours)}`,
    );
  const config = await readAuthorityConfig(path);
  const authority = await loadAuthority(config.folder);
  requireConsortium(authority, config);
  const identity: Identity = { role: 'silo', id: silo };
  identityUri(config.consortium, identity);
  const roster = await readPresentRoster(config);
  if (roster.keyOf(`silo/${silo}`) === undefined)
    throw new EnrolmentError(
      'enrolment/not-in-roster',
      `epoch ${String(roster.epoch)} of the roster, ${config.roster.successors ?? config.roster.file}, names no silo "${silo}".`,
    );
  if (await isBarred(config.folder, identity)) throw new EnrolmentError('enrolment/barred', `silo ${silo} is barred.`);
  const secret = systemRng.bytes(SECRET_BYTES);
  const expires = plusMs(systemClock.now(), hours * HOUR_MS);
  await new TokenBook(config.folder).add(secret, { identity, expires });
  const fingerprint = fromHex(inspectCertificate(authority.certificate.toString('pem')).fingerprint);
  if (fingerprint === undefined) throw new PkiError('pki/unreadable', 'the authority’s certificate has no fingerprint');
  console.log(
    formatToken({
      consortium: config.consortium,
      role: identity.role,
      id: identity.id,
      expires,
      authority: config.address,
      coordinator: config.coordinator.address,
      coordinatorServerName: config.coordinator.serverName,
      fingerprint,
      rosterHash: roster.hash,
      secret,
    }),
  );
  console.error(
    `Token for silo ${silo}, good once, until ${isoTime(expires)}. Send it to the hospital and to nobody else.`,
  );
}

/** The configuration and the folder it names must be about one consortium. */
export function requireConsortium(authority: Authority, { consortium, folder }: AuthorityConfig): void {
  if (authority.consortium !== consortium)
    throw new PkiError(
      'pki/other-consortium',
      `${folder} is the authority of ${authority.consortium}, not of ${consortium}`,
    );
}

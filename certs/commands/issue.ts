// veilsum-ca issue: a certificate for one member, with a new key or for a request.

import type { Command } from 'commander';
import { Option } from 'commander';
import { isoTime, utf8 } from '../../src/base/index.js';
import type { Authority, Identity, IssueOptions } from '../../src/pki/index.js';
import {
  checkRequest,
  COORDINATOR,
  identityUri,
  inspectCertificate,
  isRole,
  issueForKey,
  issueWithNewKey,
  PkiError,
  ROLES,
  writeBundle,
} from '../../src/pki/index.js';
import { SystemError, systemClock, systemRng, writeFileDurably } from '../../src/system/index.js';
import { existsSync } from 'node:fs';
import { loadAuthority, noteIssued, readText } from './authority-folder.js';
import { makeFolderOf } from './out-folder.js';
import { DAY_MS, HOUR_MS, wholeNumber } from './outcome.js';

/** Hours. Short, because revocation is a file that has to travel; long enough for a week-end. */
const DEFAULT_HOURS = 7 * 24;

interface Options {
  readonly role: string;
  readonly id?: string;
  readonly dns: readonly string[];
  readonly ip: readonly string[];
  readonly days?: number;
  readonly hours?: number;
  readonly dir: string;
  readonly out: string;
  readonly csr?: string;
  readonly force: boolean;
}

export function addIssue(program: Command): void {
  program
    .command('issue')
    .description('issue a certificate to a member')
    .addOption(new Option('--role <role>', 'what the member is').choices(ROLES).makeOptionMandatory())
    .option('--id <id>', 'name of the member; not needed for the coordinator')
    .option('--dns <name...>', 'DNS names of the coordinator', [])
    .option('--ip <address...>', 'IP addresses of the coordinator', [])
    .option('--days <n>', 'lifetime in days (7 unless stated)', wholeNumber)
    .addOption(new Option('--hours <n>', 'lifetime in hours').argParser(wholeNumber).conflicts('days'))
    .requiredOption('--dir <folder>', 'folder of the authority')
    .requiredOption(
      '--out <file>',
      'bundle to write (mode 0600): certificate, authority, and the key if it was made here',
    )
    .option('--csr <file>', 'sign this request; the key stays with the member')
    .option('--force', 'replace the file that is already there', false)
    .action(issue);
}

async function issue(options: Options): Promise<void> {
  const identity = identityOf(options.role, options.id);
  // Before anything is signed: a certificate that is not delivered would still be valid.
  if (!options.force && existsSync(options.out))
    throw new SystemError('system/exists', `${options.out} is already there`, {
      remedy: 'Choose another file, or --force to replace it.',
    });
  const authority = await loadAuthority(options.dir);
  await makeFolderOf(options.out);
  const wanted: IssueOptions = {
    identity,
    lifetimeMs: options.hours === undefined ? lifetimeOfDays(options.days) : options.hours * HOUR_MS,
    now: systemClock.now(),
    rng: systemRng,
    dnsNames: options.dns,
    ipAddresses: options.ip,
  };
  const certificatePem =
    options.csr === undefined
      ? await issueBundle(authority, wanted, options)
      : await issueForRequest(authority, wanted, options, options.csr);
  const facts = inspectCertificate(certificatePem);
  console.log(`Issued ${facts.names.join(', ')}`);
  console.log(`  serial  ${facts.serial}\n  until   ${isoTime(facts.notAfter)}\n  file    ${options.out}`);
}

async function issueBundle(authority: Authority, wanted: IssueOptions, options: Options): Promise<string> {
  const issued = await issueWithNewKey(authority, wanted);
  await noteIssued(options.dir, issued.certificatePem);
  const parts = { ...issued, authorityPem: authority.certificate.toString('pem') };
  await writeBundle(options.out, parts, { replace: options.force });
  return issued.certificatePem;
}

async function issueForRequest(
  authority: Authority,
  wanted: IssueOptions,
  options: Options,
  csr: string,
): Promise<string> {
  const proven = await checkRequest(await readText(csr));
  const uri = identityUri(authority.consortium, wanted.identity);
  if (proven.requestedUri !== undefined && proven.requestedUri !== uri)
    throw new PkiError(
      'pki/request-unproven',
      `the request is for ${JSON.stringify(proven.requestedUri)}, not for ${uri}`,
      {
        remedy: 'Check with the member which of the two is meant.',
      },
    );
  const certificatePem = await issueForKey(authority, proven.publicKey, wanted);
  await noteIssued(options.dir, certificatePem);
  const chain = `${certificatePem.trim()}\n${authority.certificate.toString('pem').trim()}\n`;
  await writeFileDurably(options.out, utf8(chain), { replace: options.force });
  return certificatePem;
}

export function identityOf(role: string, id: string | undefined): Identity {
  // Commander has checked the choice; this tells the compiler.
  if (!isRole(role)) throw new PkiError('pki/bad-name', `there is no role ${JSON.stringify(role)}`);
  if (role === 'coordinator') return { role, id: id ?? COORDINATOR.id };
  if (id === undefined) throw new PkiError('pki/bad-name', `a ${role} needs a name`, { remedy: 'Give it with --id.' });
  return { role, id };
}

function lifetimeOfDays(days: number | undefined): number {
  return days === undefined ? DEFAULT_HOURS * HOUR_MS : days * DAY_MS;
}

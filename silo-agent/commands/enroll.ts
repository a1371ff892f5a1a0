// veilsum-agent enroll: from a token to a folder with which `veilsum-agent run` starts; or, where the certificates come from another
// authority, a request for it (--csr) and its answer (--import).

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { CommanderError, Option } from 'commander';
import { hex, isoTime, LIMITS, unixMs, utf8 } from '../../src/base/index.js';
import { enrol, EnrolmentError, parseToken, type Token } from '../../src/enrolment/index.js';
import { readProxy } from '../../src/network/index.js';
import { identityUri, inspectCertificate, readBundle } from '../../src/pki/index.js';
import { readRoster } from '../../src/protocol/index.js';
import { makeDirectory, readSmallFile, systemClock, writeFileDurably } from '../../src/system/index.js';
import { type AgentFolder, folderOf } from '../enrolment/folder.js';
import { install, protocolKey, refuseEnrolled } from '../enrolment/install.js';
import { pendingRequest, requirePending } from '../enrolment/pending.js';

interface Options {
  readonly dir: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly proxy?: string;
  readonly proxyCredentials?: string;
  readonly csr?: string;
  readonly import?: string;
  readonly silo?: string;
  readonly consortium?: string;
  readonly ca?: string;
  readonly roster?: string;
  readonly coordinator?: string;
  readonly serverName?: string;
}

export function addEnroll(program: Command): void {
  const external = ['csr', 'import'];
  program
    .command('enroll')
    .description('get this silo its certificate and write its configuration')
    .requiredOption('--dir <folder>', 'the folder of the agent, in which `keys` has made the protocol keys')
    .addOption(new Option('--token <text>', 'the token that the consortium sent').conflicts([...external, 'tokenFile']))
    .addOption(new Option('--token-file <file>', 'a file with the token').conflicts(external))
    .option('--proxy <host:port>', 'HTTP proxy to the outside')
    .option('--proxy-credentials <file>', 'a file (mode 0600) with user:password for the proxy')
    .addOption(new Option('--csr <file>', 'another authority issues: write the request for it').conflicts('import'))
    .option('--import <file>', 'take the certificate, and those between it and the authority, from this file')
    .option('--silo <name>', 'with --csr and --import: the silo')
    .option('--consortium <name>', 'with --csr and --import: the consortium')
    .option('--ca <file>', 'with --import: the authority or authorities that count')
    .option('--roster <file>', 'with --import: the roster, whose hash was compared')
    .option('--coordinator <host:port>', 'with --import: the coordinator')
    .option('--server-name <name>', 'with --import: the name in its certificate, when it is not the host')
    .action(enroll);
}

async function enroll(options: Options): Promise<void> {
  if (options.csr !== undefined) return writeRequest(options, options.csr);
  if (options.import !== undefined) return importAnswer(options, options.import);
  const { dir } = options;
  const token = parseToken(await tokenText(options));
  if (token.expires < systemClock.now())
    throw new EnrolmentError('enrolment/token-expired', `the token ended at ${isoTime(unixMs(token.expires))}.`);
  const folder = folderOf(dir, token.id);
  refuseEnrolled(folder);
  const key = await protocolKey(folder);
  const proxyFields = proxyOf(options);
  const made = await pendingRequest(folder.pending, token.consortium, { role: 'silo', id: token.id });
  const endpoint = { address: token.authority, proxy: await readProxy(proxyFields) };
  const certified = await enrol(token, key, made, endpoint);
  await install(folder, { dir, silo: token.id, ...partsOf(token), proxy: proxyFields }, { ...certified, made });
  await tell(folder, certified.roster.hash);
}

function partsOf({ consortium, coordinator, coordinatorServerName, authority }: Token) {
  return { consortium, coordinator, coordinatorServerName, authority };
}

async function writeRequest(options: Options, path: string): Promise<void> {
  const silo = required(options.silo, '--silo');
  const consortium = required(options.consortium, '--consortium');
  const folder = folderOf(options.dir, silo);
  refuseEnrolled(folder);
  await makeDirectory(folder.secrets);
  const { requestPem } = await pendingRequest(folder.pending, consortium, { role: 'silo', id: silo });
  await writeFileDurably(path, utf8(requestPem), { replace: false });
  console.log(`Request written to ${path}; its key stays in ${folder.secrets}.`);
  console.log(`The certificate must carry the one URI ${identityUri(consortium, { role: 'silo', id: silo })},`);
  console.log('state that it is no authority, and be good for client authentication alone.');
}

async function importAnswer(options: Options, path: string): Promise<void> {
  const silo = required(options.silo, '--silo');
  const consortium = required(options.consortium, '--consortium');
  const coordinator = required(options.coordinator, '--coordinator');
  const folder = folderOf(options.dir, silo);
  refuseEnrolled(folder);
  const made = await requirePending(folder.pending);
  const chainPem = await text(path);
  const authoritiesPem = await text(required(options.ca, '--ca'));
  const rosterBytes = await readSmallFile(required(options.roster, '--roster'), LIMITS.manifestBytes);
  const roster = readRoster(rosterBytes);
  await install(
    folder,
    {
      dir: options.dir,
      silo,
      consortium,
      coordinator,
      coordinatorServerName: options.serverName,
      authority: undefined,
      proxy: proxyOf(options),
    },
    { chainPem, authoritiesPem, rosterBytes, roster, made },
  );
  await tell(folder, roster.hash);
}

async function tell(folder: AgentFolder, rosterHash: Uint8Array): Promise<void> {
  const { notAfter, names } = inspectCertificate((await readBundle(folder.bundle)).leafPem);
  console.log(`Enrolled as ${names.join(', ')}; the certificate is good until ${isoTime(notAfter)}.`);
  console.log(`  roster         ${hex(rosterHash)} (compare it by telephone)`);
  console.log(`  configuration  ${folder.config} (fill in dataSets, read policy)`);
  console.log(`Next:  veilsum-agent doctor --config ${folder.config}`);
  console.log(`Then:  veilsum-agent run --config ${folder.config}`);
}

async function tokenText({ token, tokenFile }: Options): Promise<string> {
  if (token !== undefined) return token;
  if (tokenFile !== undefined) return text(tokenFile);
  return required(undefined, '--token or --token-file');
}

function proxyOf({ proxy, proxyCredentials }: Options) {
  if (proxy === undefined) return undefined;
  return { address: proxy, credentials: proxyCredentials === undefined ? undefined : resolve(proxyCredentials) };
}

async function text(path: string): Promise<string> {
  return new TextDecoder().decode(await readSmallFile(path, LIMITS.certificateBytes));
}

function required(value: string | undefined, option: string): string {
  if (value !== undefined) return value;
  const message = `error: ${option} is needed here`;
  console.error(message);
  throw new CommanderError(1, 'veilsum.missingOption', message);
}

// veilsum-coordinator doctor: is everything in place for it to run? Works beside a running one; changes nothing.

import { createServer } from 'node:net';
import type { Command } from 'commander';
import { type CoordinatorConfig, readCoordinatorConfig } from '../../src/config/index.js';
import { splitAddress } from '../../src/network/index.js';
import { COORDINATOR as IDENTITY, RevocationFile, TlsFiles } from '../../src/pki/index.js';
import { EXIT, systemClock } from '../../src/system/index.js';
import {
  checkAuthority,
  checkOwnClock,
  compareClocks,
  checkCertificate,
  checkDisk,
  checked,
  checkEnvironment,
  checkMemory,
  failed,
  type Finding,
  findingLines,
  ok,
  verdict,
  warning,
} from '../../src/upkeep/index.js';
import { describeDatabase, examineDatabase, tryPieces } from '../../src/storage/index.js';
import { loadSelf } from '../start.js';
import { sharedSettings } from '../store.js';

interface Options {
  readonly config: string;
  readonly json?: boolean;
}

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('check configuration, keys, certificates, network and machine, and say what to fix')
    .requiredOption('--config <file>', 'its configuration')
    .option('--json', 'as JSON')
    .action(doctor);
}

async function doctor({ config: path, json }: Options): Promise<void> {
  const config = await readCoordinatorConfig(path);
  const findings = await examine(config);
  if (json === true) console.log(JSON.stringify(findings, null, 2));
  else for (const line of [...findingLines(findings), '', verdict(findings)]) console.log(line);
  if (findings.some(({ state }) => state === 'failed')) process.exitCode = EXIT.failed;
}

async function examine(config: CoordinatorConfig): Promise<Finding[]> {
  return [
    ok('configuration', `coordinator of ${config.consortium}`),
    ...(await checked('roster', async () => {
      const { roster } = await loadSelf(config);
      return ok('roster', `names this key, ${String(roster.members.size)} members`);
    })),
    ...(await checkTls(config)),
    ...(await checked('revoked', async () => {
      if (config.revoked === undefined)
        return warning(
          'revoked',
          'the configuration names no list',
          'Set revoked, so that a lost certificate can be withdrawn.',
        );
      return ok('revoked', `${String((await RevocationFile.open(config.revoked)).size)} serial numbers`);
    })),
    await checkListen(config.listen),
    ...checkEnvironment(true),
    ...(await checkDatabase(config)),
    ...(config.authority === undefined && config.storage === 'embedded'
      ? await checked('clock', () => checkOwnClock(config.state))
      : []),
    ...(await checked('disk', () => checkDisk(config.state))),
    checkMemory(),
  ];
}

function checkTls({ consortium, tls: paths, authority }: CoordinatorConfig): Promise<Finding[]> {
  return checked('certificate', async () => {
    const tls = await TlsFiles.open(paths);
    const findings = checkCertificate(tls, consortium, IDENTITY, authority !== undefined);
    if (authority === undefined) return findings;
    const { authorityPem } = tls.current;
    return [...findings, ...(await checked('authority', () => checkAuthority(authority, consortium, authorityPem)))];
  });
}

/** Of a coordinator that shares its store: the server, what it promises, and where bytes lie. */
async function checkDatabase(config: CoordinatorConfig): Promise<Finding[]> {
  const settings = sharedSettings(config);
  if (settings === undefined) return [];
  const where = describeDatabase(settings.database);
  return [
    ...(await checked('database', async () => {
      const before = systemClock.now();
      const { server, clock, tls, standby, unsafe, founded, leaseLeftMs, coordinators } =
        await examineDatabase(settings);
      if (standby)
        return failed('database', `${where} is a standby and takes no writes`, 'Name the primary in `storage`.');
      if (unsafe.length > 0)
        return failed(
          'database',
          `${where}: ${unsafe.join(', ')} is off, so a commit may be lost`,
          'Turn it on in the settings of the server: what is acknowledged to a silo must survive a power cut.',
        );
      const lead = leaseLeftMs === undefined ? 'nobody leads' : `one leads, ${String(coordinators)} attend`;
      const found = ok(
        'database',
        `${where}: PostgreSQL ${server}, ${tls ? 'TLS' : 'no TLS, on this machine'}; ${founded ? lead : 'no tables yet, the first start makes them'}`,
      );
      // Whoever leads closes phases by its own clock, so those of all coordinators have to agree.
      return config.authority === undefined ? [found, compareClocks(clock, 'the database’s', before)] : found;
    })),
    ...(await checked('pieces', async () => {
      await tryPieces(settings);
      const { kind } = settings.pieces;
      const place = { database: 'the database', folder: 'a shared folder', s3: 'an object store' }[kind];
      return ok('pieces', `uploads and objects lie in ${place}`);
    })),
  ];
}

/** Taken is as it should be while the coordinator runs. */
function checkListen(listen: string): Promise<Finding> {
  const { host, port } = splitAddress(listen);
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (cause: NodeJS.ErrnoException) => {
      resolve(
        cause.code === 'EADDRINUSE'
          ? warning('listen', `${listen} is in use`, 'If that is not this coordinator, choose another port.')
          : failed(
              'listen',
              `${listen}: ${cause.message}`,
              'Choose an address of this machine, and a port this account may use.',
            ),
      );
    });
    server.listen(port, host, () => {
      server.close(() => {
        resolve(ok('listen', `${listen} is free`));
      });
    });
  });
}

// veilsum-ca serve: gives certificates to members, until SIGTERM.

import type { Command } from 'commander';
import { readAuthorityConfig } from '../../src/config/index.js';
import { splitAddress } from '../../src/network/index.js';
import type { Roster } from '../../src/protocol/index.js';
import { EXIT, installShutdown, systemClock, systemRng } from '../../src/system/index.js';
import { createLog } from '../../src/telemetry/index.js';
import { Desk } from '../service/desk.js';
import { startService } from '../service/server.js';
import { loadAuthority } from './authority-folder.js';
import { HOUR_MS } from './outcome.js';
import { readPresentRoster } from './present-roster.js';
import { requireConsortium } from './token.js';

const STOP_BOUND_MS = 20_000;

export function addServe(program: Command): void {
  program
    .command('serve')
    .description('enrol members who have a token and renew certificates, until SIGTERM')
    .requiredOption('--config <file>', 'configuration of the service (YAML, see docs/samples/authority.yaml)')
    .action(serve);
}

async function serve({ config: path }: { readonly config: string }): Promise<void> {
  const config = await readAuthorityConfig(path);
  requireConsortium(await loadAuthority(config.folder), config);
  const roster = (): Promise<Roster> => readPresentRoster(config);
  await roster();
  const { level, file } = config.log;
  const log = createLog({ program: 'authority', level, file });
  const clock = systemClock;
  const rng = systemRng;
  const desk = new Desk({
    consortium: config.consortium,
    folder: config.folder,
    roster,
    lifetimeMs: config.certificateHours * HOUR_MS,
    clock,
    rng,
  });
  const hosts = [splitAddress(config.address).host, ...config.names];
  const service = await startService({ desk, folder: config.folder, listen: config.listen, hosts, clock, rng, log });
  // The one line on standard output, for whoever started it with port 0.
  console.log(JSON.stringify({ listening: service.port }));
  log.info('program.started', { consortium: config.consortium, port: service.port });
  installShutdown({
    stop: async () => {
      log.info('program.stopping');
      await service.close();
      log.info('program.stopped');
      await log.flush();
      return EXIT.ok;
    },
    boundMs: STOP_BOUND_MS,
  });
}

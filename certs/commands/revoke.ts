// veilsum-ca revoke: withdraws a certificate. The list takes effect where the coordinator reads it.

import type { Command } from 'commander';
import { isoTime } from '../../src/base/index.js';
import { revoke } from '../../src/pki/index.js';
import { systemClock } from '../../src/system/index.js';
import { revokedPath } from './authority-folder.js';

interface Options {
  readonly serial: string;
  readonly dir: string;
  readonly reason: string;
}

export function addRevoke(program: Command): void {
  program
    .command('revoke')
    .description('add a serial number to the revocation list')
    .requiredOption('--serial <hex>', 'serial number, as issue and inspect print it')
    .requiredOption('--dir <folder>', 'folder of the authority')
    .option('--reason <text>', 'a note for people', 'no reason given')
    .action(async ({ serial, dir, reason }: Options) => {
      await revoke(revokedPath(dir), serial, `${isoTime(systemClock.now())} ${reason}`);
      console.log(`Revoked. Copy ${revokedPath(dir)} to the coordinator.`);
    });
}
